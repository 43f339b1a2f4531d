"""What really went over the wire: every request to the practice provider, with its answer."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(kw_only=True)
class Exchange:
    """One request and its answer."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    status: int = 0
    location: str = ""
    answer: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Wire:
    """The exchanges, in the order in which they began."""

    seen: list[Exchange] = field(default_factory=list)

    def to(self, path: str) -> list[Exchange]:
        return [exchange for exchange in self.seen if exchange.path == path]


class Tap:
    """Middleware that keeps what passes."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        exchange = Exchange(path=scope["path"], query=query, headers=headers)
        self._wire.seen.append(exchange)

        async def received() -> Message:
            message = await receive()
            exchange.body += message.get("body", b"")
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.location = dict(message["headers"]).get(b"location", b"").decode()
            exchange.answer += message.get("body", b"")
            await send(message)

        await self._app(scope, received, sent)
