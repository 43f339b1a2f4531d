"""An audit that keeps nobody waiting: what is recorded is written in batches, once a second and at the end."""

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from doorkey.domain.audit import Action, Entry
from doorkey.errors import DoorkeyError
from doorkey.ports import Audit

logger = logging.getLogger(__name__)

PAUSE = timedelta(seconds=1)
MOST_WAITING = 20_000

SPELL = timedelta(minutes=1)
"""Uses of an account on one errand are one row in so long; each of them still moves the account's last use."""

Key = tuple[str | None, str, str | None]


def _queue() -> deque[Entry]:
    return deque(maxlen=MOST_WAITING)


@dataclass(slots=True, kw_only=True)
class _Pen:
    """What one process writes with. A child of a fork takes a new one: what waits here is its parent's to write."""

    waiting: deque[Entry] = field(default_factory=_queue)
    told: dict[Key, datetime] = field(default_factory=dict)
    writing: Lock = field(default_factory=Lock)
    writer: Thread | None = None
    complained: bool = False
    process: int = field(default_factory=os.getpid)


class Journal:
    """Fill `ports.Audit` over another one, which `store` opens when there is something to write or to read.

    `record` only appends to a queue. A store that cannot be written is tried again, and whoever used an account is
    not disturbed by it. A process that is killed loses what is younger than `pause`.
    """

    def __init__(self, store: Callable[[], Audit], *, pause: timedelta = PAUSE) -> None:
        self._store = store
        self._pause = pause.total_seconds()
        self._closed = Event()
        self._pen = _Pen()

    def record(self, *entries: Entry) -> None:
        pen = self._here()
        pen.waiting.extend(entries)
        if pen.writer is None and not self._closed.is_set():
            # Two callers at once may start two; the lock makes them take turns.
            pen.writer = Thread(target=self._keep_writing, name="doorkey-audit", daemon=True)
            pen.writer.start()

    def touch(self, uses: Mapping[str, datetime]) -> None:
        self._store().touch(uses)

    def read(self, limit: int, account: str | None = None) -> Sequence[Entry]:
        self.flush()
        return self._store().read(limit, account)

    def last_uses(self) -> Mapping[str, datetime]:
        self.flush()
        return self._store().last_uses()

    def flush(self) -> None:
        """Write what waits; what cannot be written now waits on."""
        pen = self._here()
        with pen.writing:
            batch = [pen.waiting.popleft() for _ in range(len(pen.waiting))]
            if not batch:
                return
            try:
                self._write(batch, pen)
                pen.complained = False
            except DoorkeyError as error:
                pen.waiting.extendleft(reversed(batch))
                if not pen.complained:
                    logger.warning("The audit cannot be written just now: %s", type(error).__name__)
                pen.complained = True

    def close(self) -> None:
        """Write what waits, for the last time; safe to call twice."""
        self._closed.set()
        if writer := self._here().writer:
            writer.join()
        self.flush()

    def _write(self, batch: Sequence[Entry], pen: _Pen) -> None:
        uses = [entry for entry in batch if entry.action is Action.USED]
        told = _still_told(pen.told, batch[-1].at)
        rows = [entry for entry in batch if entry.action is not Action.USED or _begins_spell(entry, told)]
        store = self._store()
        if rows:
            store.record(*rows)
        pen.told = told
        store.touch({use.account: use.at for use in uses if use.account})

    def _keep_writing(self) -> None:
        while not self._closed.wait(self._pause):
            self.flush()

    def _here(self) -> _Pen:
        if self._pen.process != os.getpid():
            self._pen = _Pen()
        return self._pen


def _still_told(told: Mapping[Key, datetime], now: datetime) -> dict[Key, datetime]:
    return {key: at for key, at in told.items() if now - at < SPELL}


def _begins_spell(use: Entry, told: dict[Key, datetime]) -> bool:
    """Whether a use needs a row of its own; notes that it has one."""
    key = (use.account, use.label, use.detail)
    begins = key not in told or use.at - told[key] >= SPELL
    if begins:
        told[key] = use.at
    return begins
