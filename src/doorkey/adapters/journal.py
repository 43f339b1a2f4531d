"""An audit that keeps nobody waiting: what is recorded is written in batches, once a second and at the end."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from doorkey.adapters.batch import PAUSE, Batch
from doorkey.domain.audit import Action, Entry
from doorkey.ports import Audit

SPELL = timedelta(minutes=1)
"""Uses of an account on one errand are one row in so long; each of them still moves the account's last use."""

Key = tuple[int, str | None, str, str | None]


class Journal:
    """Fill `ports.Audit` over another one, which `store` opens when there is something to write or to read.

    `record` only appends to a queue. A store that cannot be written is tried again, and whoever used an account is
    not disturbed by it. A process that is killed loses what is younger than `pause`.
    """

    def __init__(self, store: Callable[[], Audit], *, pause: timedelta = PAUSE) -> None:
        self._store = store
        self._batch = Batch("audit", self._write, pause=pause)
        self._told: dict[Key, datetime] = {}

    def record(self, *entries: Entry) -> None:
        self._batch.add(*entries)

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
        self._batch.flush()

    def close(self) -> None:
        """Write what waits, for the last time; safe to call twice."""
        self._batch.close()

    def _write(self, batch: Sequence[Entry]) -> None:
        uses = [entry for entry in batch if entry.action is Action.USED]
        told = _still_told(self._told, batch[-1].at)
        rows = [entry for entry in batch if entry.action is not Action.USED or _begins_spell(entry, told)]
        store = self._store()
        if rows:
            store.record(*rows)
        self._told = told
        store.touch({use.account: use.at for use in uses if use.account})


def _still_told(told: Mapping[Key, datetime], now: datetime) -> dict[Key, datetime]:
    return {key: at for key, at in told.items() if now - at < SPELL}


def _begins_spell(use: Entry, told: dict[Key, datetime]) -> bool:
    """Whether a use needs a row of its own; notes that it has one. What a parent process told, its child did not."""
    key = (os.getpid(), use.account, use.label, use.detail)
    begins = key not in told or use.at - told[key] >= SPELL
    if begins:
        told[key] = use.at
    return begins
