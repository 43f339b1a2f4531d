"""The events of one run as server-sent events: nothing lost or doubled, whichever number a page stands at.

The page follows with htmx's own extension: it sends our header, reconnects with `Last-Event-ID`, rests while its tab is
hidden, and puts each part in its place.
"""

from functools import partial
from math import inf
from typing import TYPE_CHECKING

import anyio
from anyio import current_time, move_on_after, sleep
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doorkey.domain.conversation import Event
from doorkey.web.desk import Desk
from doorkey.web.transcript import Answer
from doorkey.web.turns import fragment

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

# Seconds between two messages.
FRAME = 0.03
# Rendering a long open block takes longer than a frame; then most of the time is left to others.
REST = 3
# Seconds; keeps a quiet connection open, and notices one that is gone.
HEARTBEAT = 15.0
STILL_HERE = b": still here\n\n"
END = b"event: end\ndata: end\n\n"


async def stream(request: Request) -> Response:
    """Answer `GET /runs/{id}/stream`, from `Last-Event-ID` or else `after` on."""
    desk: Desk = request.app.state.desk
    after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not after.isascii() or not after.isdecimal():
        raise HTTPException(400, "An event's number is a number.")
    run_id = request.path_params["id"]
    await run_sync(desk.stores.runs.load, run_id)
    return RunStream(desk, run_id, int(after))


class RunStream(Response):
    """Send a run's changes until it ends or the page leaves.

    A response of its own instead of a generator: a task group may not be held open across a `yield`.
    """

    media_type = "text/event-stream"

    def __init__(self, desk: Desk, run_id: str, after: int, *, heartbeat: float = HEARTBEAT) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._desk = desk
        self._run_id = run_id
        self._after = after
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until one side ends it."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_wait_for_leaving, receive, tasks.cancel_scope)
            inbox, news = anyio.create_memory_object_stream[Event](inf)
            tasks.start_soon(self._listen, inbox)
            async with news:
                await self._follow(news, send)
            tasks.cancel_scope.cancel()

    async def _listen(self, inbox: "MemoryObjectSendStream[Event]") -> None:
        async with inbox:
            async for event in self._desk.engine.subscribe(self._run_id, self._after):
                await inbox.send(event)

    async def _follow(self, news: "MemoryObjectReceiveStream[Event]", send: Send) -> None:
        answer = await run_sync(self._stand)
        chunk = partial(_send_chunk, send)
        while (events := await _next(news, self._heartbeat)) is not None:
            if not events:
                await chunk(STILL_HERE)
                continue
            begun = current_time()
            answer.take(events)
            await chunk(await run_sync(self._message, answer))
            await sleep(max(FRAME, REST * (current_time() - begun)))
        if not answer.over:
            await chunk(await run_sync(partial(self._message, answer, over=True)))
        await chunk(END)
        await send({"type": "http.response.body", "body": b""})

    def _message(self, answer: Answer, *, over: bool = False) -> bytes:
        """Write one message; its id is the number of the last event that is in it."""
        html = fragment(self._desk, self._run_id, answer, over=over)
        lines = "".join(f"data: {line}\n" for line in html.replace("\r", "").split("\n"))
        return f"id: {answer.number}\n{lines}\n".encode()

    def _stand(self) -> Answer:
        """Fold what the page has already, so that only what comes after it is new."""
        events = self._desk.stores.events.since(self._run_id, 0)
        answer = Answer().take(event for event in events if event.number <= self._after)
        answer.changes()
        return answer


async def _next(news: "MemoryObjectReceiveStream[Event]", heartbeat: float) -> list[Event] | None:
    """Return everything that has come; nothing after a quiet while, and None at the end."""
    events: list[Event] = []
    try:
        with move_on_after(heartbeat):
            events.append(await news.receive())
            while True:
                events.append(news.receive_nowait())
    except anyio.WouldBlock:
        return events
    except anyio.EndOfStream:
        return events or None
    return events


async def _send_chunk(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _wait_for_leaving(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
