"""The door: loopback names only, no foreign page may change anything, and nothing is cached."""

import re
from email.utils import formatdate

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorkey.sandbox.world import World

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
_HARMLESS = {"GET", "HEAD"}


def is_loopback(host: str) -> bool:
    """Tell whether a Host, with or without a port, is a name of this machine."""
    return _LOOPBACK.fullmatch(host) is not None


class Guard:
    """Refuse other Host names (DNS rebinding) and changes asked for by other origins; set the safe headers."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        if not is_loopback(headers.get("host", "")):
            refusal = PlainTextResponse("This sandbox answers to loopback names only.", 403)
            await refusal(scope, receive, send_safely)
        elif scope["method"] not in _HARMLESS and _is_foreign(headers):
            refusal = PlainTextResponse("Another page asked for this; it is refused.", 403)
            await refusal(scope, receive, send_safely)
        else:
            await self._app(scope, receive, send_safely)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers.setdefault("Date", formatdate(self._world.clock(), usegmt=True))
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        # Not `no-referrer`: with it browsers send `Origin: null` along with our own forms.
        headers.setdefault("Referrer-Policy", "same-origin")


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers['host']}":
        return True
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
