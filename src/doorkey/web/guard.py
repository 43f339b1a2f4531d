"""The door of the local server: only the person's own page comes in (rule 8)."""

from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorkey.domain.secret import Secret
from doorkey.errors import RequestRefused
from doorkey.ports import PageSessions
from doorkey.web.replies import refuse

COOKIE = "doorkey"
KEY_HEADER = "X-Doorkey-Key"
LARGEST_BODY = 1024 * 1024

LAUNCH = "/launch"
STATIC = "/static/"
STREAM_ENDING = "/stream"
HARMLESS = {"GET", "HEAD"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuse what does not come from our own page, and put the safe headers on every answer."""

    app: ASGIApp
    sessions: PageSessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        refusal = await self._refusal(HTTPConnection(scope), scope["method"])
        if refusal is not None:
            await refusal(scope, receive, send_safely)
        else:
            await self.app(scope, _limited(receive), send_safely)

    async def _refusal(self, asked: HTTPConnection, method: str) -> Response | None:
        reason = _foreign(asked, method)
        if reason:
            return refuse(asked, RequestRefused(reason))
        if status := _unread(asked.headers):
            return refuse(
                asked, RequestRefused("Send a small JSON body.", hint="Content-Type: application/json"), status
            )
        path = asked.scope["path"]
        if path == LAUNCH or path.startswith(STATIC) or await run_sync(self._admits, asked, method):
            return None
        return refuse(asked, RequestRefused("This browser has no session, or this tab has no key."))

    def _admits(self, asked: HTTPConnection, method: str) -> bool:
        """Check the cookie, and the key where something changes or streams: cookies do not know ports."""
        cookie, key = asked.cookies.get(COOKIE), asked.headers.get(KEY_HEADER)
        if not cookie or (key is None and needs_key(asked.scope["path"], method)):
            return False
        return self.sessions.check(Secret(cookie), None if key is None else Secret(key))


def needs_key(path: str, method: str) -> bool:
    """Whether a request needs the session's key as well as its cookie."""
    return method not in HARMLESS or path.endswith(STREAM_ENDING)


def _foreign(asked: HTTPConnection, method: str) -> str | None:
    """Say why a request does not come from our own page."""
    # The port that is really ours, whatever the Host header says; a name that was rebound to us is not ours.
    server = asked.scope.get("server") or ("", None)
    own = f"127.0.0.1:{server[1]}"
    origin, site = asked.headers.get("origin"), asked.headers.get("sec-fetch-site")
    if asked.headers.getlist("host") != [own]:
        return "This server answers to its own address only."
    # A program that is no browser sends no Origin; a browser always does with a change.
    if origin not in {None, f"http://{own}"}:
        return "Another page asked for this."
    if site not in {None, "same-origin"} and not _is_arrival(asked, method, site):
        return "Another page asked for this."
    return None


def _is_arrival(asked: HTTPConnection, method: str, site: str | None) -> bool:
    """Whether a person navigates here: typed or from a bookmark, and to the launch page also from our redirect file."""
    navigates = method in HARMLESS and asked.headers.get("sec-fetch-mode", "navigate") == "navigate"
    return navigates and (site == "none" or asked.scope["path"] == LAUNCH)


def _unread(headers: Headers) -> int | None:
    """Return the status for a body that is not read; a form of another page cannot name its body JSON."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return 413
    has_body = length != "0" or "transfer-encoding" in headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return 415 if has_body and media_type != "application/json" else None


def _limited(receive: Receive) -> Receive:
    """Count a body that told no length."""
    read = 0

    async def receive_some() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(413, "The body is too large.")
        return message

    return receive_some


def _add_headers(path: str, headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if path.startswith(STATIC):
        headers.setdefault("Cache-Control", "no-cache")
    else:
        headers["Cache-Control"] = "no-store"
