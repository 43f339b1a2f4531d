"""Server-sent events with the pace of a model, and the stream that breaks off on request."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doorkey.sandbox.served import Exchange


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, where the dialect names events, its body, and whether a model would pause before it."""

    body: Mapping[str, Any] | str
    name: str | None = None
    is_piece: bool = False

    def encode(self) -> bytes:
        """Give the bytes on the wire."""
        body = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        name = f"event: {self.name}\n" if self.name else ""
        return f"{name}data: {body}\n\n".encode()


class EventStream(Response):
    """Send events one by one; a `cut_stream` fault lets a few pieces through, then breaks the connection.

    A `limit_in_stream` fault ends it with `last_word` instead, as the dialect tells of an error inside an answer.

    A client that leaves is noted as `client_left`: so a test sees that Stop has reached the provider.
    """

    def __init__(self, exchange: Exchange, events: Iterable[Event], pause: float, *, last_word: Event) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self._exchange = exchange
        self._events = tuple(events)
        self._last_word = last_word
        self._pause = max(pause, exchange.world.pace)
        self._pieces_left = self._allowed()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole answer, or as much as the fault allows."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self._paced():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _paced(self) -> AsyncIterator[bytes]:
        for event in self._events:
            if self._pieces_left == 0 and self._exchange.meets("limit_in_stream"):
                self._exchange.note.outcome = "limit_in_stream"
                yield self._last_word.encode()
                return
            if self._pieces_left == 0:
                raise ConnectionResetError("the stream is cut, as was asked for")
            if event.is_piece:
                if await self._exchange.request.is_disconnected():
                    self._exchange.note.outcome = "client_left"
                    return
                self._pieces_left -= 1
                if self._pause:
                    await asyncio.sleep(self._pause)
            yield event.encode()

    def _allowed(self) -> float:
        """Count the pieces that may pass; a short answer is cut too, before the events that would complete it."""
        fault = self._exchange.fault
        if fault is None or fault.kind not in {"cut_stream", "limit_in_stream"}:
            return math.inf
        return min(fault.chunks, sum(event.is_piece for event in self._events))
