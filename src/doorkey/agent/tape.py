"""One run's events: written in order by one writer, then handed to everybody who listens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from doorkey.agent.clerk import Clerk
from doorkey.domain.conversation import LIVE, Event, EventKind, RunState
from doorkey.ports import Events

PACE = timedelta(milliseconds=25)
"""The least time between two writes of text: what comes meanwhile is joined."""

LOOK = timedelta(milliseconds=400)
"""How often we look for what another program has written."""

_JOINED = frozenset({EventKind.TEXT, EventKind.THINKING})

Draft = tuple[EventKind, Mapping[str, object]]


def is_last(event: Event) -> bool:
    """Whether nothing can come after this event: the run has ended, and does not only wait."""
    return event.kind is EventKind.STATE and RunState(str(event.body["state"])) not in LIVE


class Tape:
    """The events of one run while it lives. An event is stored before anybody is told of it."""

    def __init__(self, run: str, events: Events, clerk: Clerk) -> None:
        self._run = run
        self._events = events
        self._clerk = clerk
        self._drafts: deque[Draft] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()
        self._news = asyncio.Event()
        self._ended = False

    def say(self, kind: EventKind, text: str) -> None:
        """Add text; the first piece is written at once, later ones together."""
        if text:
            self._add(kind, {"text": text})

    def add(self, kind: EventKind, body: Mapping[str, object]) -> None:
        """Add an event that cannot wait."""
        self._add(kind, body)
        self._urgent.set()

    async def settle(self) -> None:
        """Wait until everything is stored and told; raises what the store raised."""
        while self._writer is not None or self._drafts:
            self._urgent.set()
            await asyncio.shield(self._writer or self._start())

    def end(self) -> None:
        """Let the listeners go: nothing will come any more."""
        self._ended = True
        self._tell()

    async def follow(self, after: int, rescue: Callable[[], Awaitable[None]]) -> AsyncIterator[Event]:
        """Give every event after a number, stored or still to come, once and in order, up to the last one.

        Other programs may write too, so it goes by what is stored, and looks for it now and then. `rescue` is asked
        in between: nobody may be left who writes the last event.
        """
        number = after
        while not (self._ended and self._clerk.closed):
            # Taken before looking: what is told from here on wakes us.
            news, ended = self._news, self._ended
            for event in await self._clerk.do(self._events.since, self._run, number):
                yield event
                number = event.number
                if is_last(event):
                    return
            if ended:
                return
            await rescue()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK.total_seconds()):
                    await news.wait()

    def _add(self, kind: EventKind, body: Mapping[str, object]) -> None:
        last = self._drafts[-1] if self._drafts else None
        if last and kind in _JOINED and last[0] is kind:
            self._drafts[-1] = (kind, {"text": f"{last[1]['text']}{body['text']}"})
        else:
            self._drafts.append((kind, body))
        if self._writer is None:
            self._start()

    def _start(self) -> asyncio.Task[None]:
        self._writer = asyncio.create_task(self._write())
        # A fault of the store keeps the drafts: whoever settles tries again and hears of it then.
        self._writer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._writer

    async def _write(self) -> None:
        """Write until there is nothing left; text that comes within the pace of a write waits for the next."""
        try:
            while self._drafts:
                batch, self._drafts = self._drafts, deque()
                await self._store(batch)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PACE.total_seconds()):
                        await self._urgent.wait()
                self._urgent.clear()
        finally:
            self._writer = None

    async def _store(self, batch: deque[Draft]) -> None:
        try:
            await self._clerk.do(self._append, batch)
        finally:
            # What the store did not take is kept for the next try.
            self._drafts.extendleft(reversed(batch))
            self._tell()

    def _append(self, batch: deque[Draft]) -> None:
        while batch:
            kind, body = batch[0]
            self._events.append(self._run, kind, body)
            batch.popleft()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
