"""Around every token and model endpoint: the fault that waits, the refusal in its dialect, the note in the log."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.faults import Family, Fault
from doorkey.sandbox.log import Note
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.storage import Grant
from doorkey.sandbox.world import World, world_of

Refuser = Callable[[Refusal], JSONResponse]


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request while it is served: the request, the sandbox, the note about it and the fault that it meets."""

    request: Request
    world: World
    note: Note
    refuse: Refuser
    fault: Fault | None = None
    dialect: Dialect | None = None
    is_answer: bool = False

    def meets(self, kind: str) -> bool:
        """Tell whether this request has to meet that fault."""
        return self.fault is not None and self.fault.kind == kind

    def seconds(self, default: float) -> float:
        """Give the fault's number of seconds."""
        return default if self.fault is None or self.fault.seconds is None else self.fault.seconds

    def named(self, grant: Grant, credential: str) -> None:
        """Note whose grant is being served and what was presented for it."""
        self.note.account = grant.account.name
        self.note.client = grant.client_id
        self.note.credential = credential


Handler = Callable[[Exchange], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def served(family: Family, handler: Handler, refuse: Refuser, *, answers: bool = True) -> Endpoint:
    """Wrap a handler into an endpoint that meets faults, refuses in its dialect and keeps the log.

    A route without `answers` has nothing to stream, so faults of the stream wait for another one.
    """

    async def endpoint(request: Request) -> Response:
        world = world_of(request)
        is_answer = family == "model" and answers
        note = Note(at=world.clock(), endpoint=request.url.path)
        fault = world.faults.take(family, answers=answers)
        note.fault = fault.kind if fault else None
        exchange = Exchange(request=request, world=world, note=note, refuse=refuse, fault=fault, is_answer=is_answer)
        try:
            response = await _serve(exchange, handler)
        except Refusal as refusal:
            note.outcome = refusal.detail or refusal.code
            response = exchange.refuse(refusal)
        if exchange.is_answer:
            response.headers.update(world.meter.headers(exchange.dialect, world.clock()))
        world.log.add(note)
        return response

    return endpoint


async def _serve(exchange: Exchange, handler: Handler) -> Response:
    if exchange.meets("slow"):
        await asyncio.sleep(exchange.seconds(3.0))
    if exchange.meets("unavailable"):
        raise Refusal("server_is_overloaded", "the practice provider is out of order, as you asked", status=503)
    if exchange.meets("garbage"):
        exchange.note.outcome = "garbage"
        return HTMLResponse("<html><title>Proxy</title><p>Something in between answered.</html>")
    response = await handler(exchange)
    if exchange.meets("reply_lost"):
        return LostReply()
    if exchange.meets("wrong_date"):
        skewed = exchange.world.clock() + exchange.seconds(3600)
        response.headers["date"] = formatdate(skewed, usegmt=True)
    return response


LIMIT = "the practice limit is reached, as you asked"
USED_UP = "insufficient_quota"
LIMIT_CODES: dict[Dialect | None, str] = {
    Dialect.PLAN: "subscription_sharing_usage_limit_exceeded",
    Dialect.CODEX: "usage_limit_reached",
}


def refuse_over_limit(exchange: Exchange, dialect: Dialect | None) -> None:
    """Raise the 429 of the credential's dialect when a limit fault waits (protocols 1.9, 2.8)."""
    if not (exchange.meets("limit_with_reset") or exchange.meets("limit_without_reset")):
        return
    code = LIMIT_CODES.get(dialect, "rate_limit_exceeded")
    headers: dict[str, str] = {}
    extra: dict[str, str | int] = {"type": code} if dialect is Dialect.CODEX else {}
    if exchange.meets("limit_with_reset"):
        seconds = int(exchange.seconds(5))
        headers["Retry-After"] = str(seconds)
        if dialect is Dialect.CODEX:
            extra |= {"resets_at": int(exchange.world.clock()) + seconds, "resets_in_seconds": seconds}
    raise Refusal(code, LIMIT, status=429, headers=headers, extra=extra)


class LostReply(Response):
    """Promise a body and hang up: the connection closes before a byte of it was sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the answer, then fail as a broken connection does."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"512")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise ConnectionResetError("the reply is lost, as was asked for")
