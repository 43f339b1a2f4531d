"""The audit in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from doorkey.adapters.store.audit import KEPT
from doorkey.domain.audit import Action, Entry


class MemoryAudit:
    """Fill `ports.Audit`."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._last_uses: dict[str, datetime] = {}

    def record(self, *entries: Entry) -> None:
        newest = [*self._entries, *entries]
        uses = [entry for entry in newest if entry.action is Action.USED][:-KEPT]
        others = [entry for entry in newest if entry.action is not Action.USED][:-KEPT]
        dropped = {id(entry) for entry in (*uses, *others)}
        self._entries = [entry for entry in newest if id(entry) not in dropped]

    def touch(self, uses: Mapping[str, datetime]) -> None:
        for account, at in uses.items():
            self._last_uses[account] = max(at, self._last_uses.get(account, at))

    def read(self, limit: int, account: str | None = None) -> Sequence[Entry]:
        found = [entry for entry in reversed(self._entries) if account in {None, entry.account}]
        return found[:limit]

    def last_uses(self) -> Mapping[str, datetime]:
        return dict(self._last_uses)
