"""The audit: rows that are only added, the oldest of them dropped in batches so that it stays bounded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database
from doorkey.domain.audit import Action, Entry, Surface

KEPT = 10_000
"""How many rows are kept at least, of uses and of everything else each: uses never push out what is rare."""

BATCH = 500
"""Every so many rows the oldest are dropped, by whichever process wrote the last of them."""

_INSERT = """
INSERT INTO audit (at, surface, action, label, provider, method, account, detail)
VALUES (:at, :surface, :action, :label, :provider, :method, :account, :detail)
RETURNING number
"""
_SELECT = "SELECT at, surface, action, label, provider, method, account, detail FROM audit"
_TRIM_USES = """
DELETE FROM audit WHERE action = 'used' AND number <= (
    SELECT number FROM audit WHERE action = 'used' ORDER BY number DESC LIMIT 1 OFFSET ?)
"""
_TRIM_THE_REST = """
DELETE FROM audit WHERE action <> 'used' AND number <= (
    SELECT number FROM audit WHERE action <> 'used' ORDER BY number DESC LIMIT 1 OFFSET ?)
"""
_TOUCH = """
INSERT INTO last_uses (account, at) VALUES (?, ?)
ON CONFLICT (account) DO UPDATE SET at = excluded.at WHERE excluded.at > last_uses.at
"""


class SqlAudit:
    """Fill `ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, *entries: Entry) -> None:
        with self._database.transaction("audit"):
            numbers = [self._insert(entry) for entry in entries]
            if any(number % BATCH == 0 for number in numbers):
                for trim in (_TRIM_USES, _TRIM_THE_REST):
                    self._database.rows(trim, (KEPT,))

    def touch(self, uses: Mapping[str, datetime]) -> None:
        for account, at in uses.items():
            self._database.rows(_TOUCH, (account, stamp(at)))

    def read(self, limit: int, account: str | None = None) -> Sequence[Entry]:
        if account is None:
            rows = self._database.rows(f"{_SELECT} ORDER BY number DESC LIMIT ?", (limit,))
        else:
            rows = self._database.rows(f"{_SELECT} WHERE account = ? ORDER BY number DESC LIMIT ?", (account, limit))
        return [_entry(dict(row)) for row in rows]

    def last_uses(self) -> Mapping[str, datetime]:
        rows = self._database.rows("SELECT account, at FROM last_uses")
        return {row["account"]: datetime.fromisoformat(row["at"]) for row in rows}

    def _insert(self, entry: Entry) -> int:
        (row,) = self._database.rows(_INSERT, asdict(entry) | {"at": stamp(entry.at)})
        return int(row["number"])


def _entry(fields: dict[str, Any]) -> Entry:
    read = {
        "at": datetime.fromisoformat(fields["at"]),
        "surface": Surface(fields["surface"]),
        "action": Action(fields["action"]),
    }
    return Entry(**(fields | read))
