"""Work that keeps nobody waiting: what is added is handed on in batches, once a second and at the end."""

import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from doorkey.errors import DoorkeyError

logger = logging.getLogger(__name__)

PAUSE = timedelta(seconds=1)
MOST_WAITING = 20_000

Item = TypeVar("Item")


class _Tray(Generic[Item]):
    """What waits in one process. A child of a fork takes a new one: what lies here is its parent's to hand on."""

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque(maxlen=MOST_WAITING)
        self.writing = Lock()
        self.writer: Thread | None = None
        self.complained = False
        self.process = os.getpid()


class Batch(Generic[Item]):
    """Hand items on to `write`, in their order, from a thread of its own.

    `add` only appends to a queue. What `write` cannot take now, by any of our errors, is tried again as a whole; the
    log names it once as `what`. A process that is killed loses what is younger than `pause`.
    """

    def __init__(self, what: str, write: Callable[[Sequence[Item]], None], *, pause: timedelta = PAUSE) -> None:
        self._what = what
        self._write = write
        self._pause = pause.total_seconds()
        self._closed = Event()
        self._tray: _Tray[Item] = _Tray()

    def add(self, *items: Item) -> None:
        """Let items wait for the next batch."""
        tray = self._here()
        tray.waiting.extend(items)
        if tray.writer is None and not self._closed.is_set():
            # Two callers at once may start two; the lock makes them take turns.
            tray.writer = Thread(target=self._keep_writing, name=f"doorkey-{self._what}", daemon=True)
            tray.writer.start()

    def flush(self) -> None:
        """Hand on what waits; what cannot be taken now waits on."""
        tray = self._here()
        with tray.writing:
            batch = [tray.waiting.popleft() for _ in range(len(tray.waiting))]
            if not batch:
                return
            try:
                self._write(batch)
                tray.complained = False
            except DoorkeyError as error:
                tray.waiting.extendleft(reversed(batch))
                if not tray.complained:
                    logger.warning("The %s cannot be written just now: %s", self._what, type(error).__name__)
                tray.complained = True

    def close(self) -> None:
        """Hand on what waits, for the last time; safe to call twice."""
        self._closed.set()
        if writer := self._here().writer:
            writer.join()
        self.flush()

    def _keep_writing(self) -> None:
        while not self._closed.wait(self._pause):
            self.flush()

    def _here(self) -> _Tray[Item]:
        if self._tray.process != os.getpid():
            self._tray = _Tray()
        return self._tray
