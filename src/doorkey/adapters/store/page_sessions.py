"""Browser sessions of the local page, kept as hashes: who reads the file can open no page (rule 8)."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from secrets import token_urlsafe

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database, Row
from doorkey.domain.secret import Secret
from doorkey.ports import PageSession

LIFETIME = timedelta(days=30)
SEEN_STEP = timedelta(minutes=1)

_INSERT = "INSERT INTO page_sessions (id, cookie, key, label, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)"
_LIVE = "SELECT * FROM page_sessions WHERE created_at > ? ORDER BY created_at, id"


class SqlPageSessions:
    """Fill `ports.PageSessions`; `now` tells the time in UTC."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def add(self, cookie: Secret, key: Secret, label: str) -> None:
        now = self._now()
        row = (f"ses_{token_urlsafe(12)}", cookie.digest(), key.digest(), label, stamp(now), stamp(now))
        with self._database.transaction("page_sessions"):
            self._database.rows("DELETE FROM page_sessions WHERE created_at <= ?", (stamp(now - LIFETIME),))
            self._database.rows(_INSERT, row)

    def check(self, cookie: Secret, key: Secret | None) -> bool:
        now = self._now()
        for row in self._database.rows(_LIVE, (stamp(now - LIFETIME),)):
            if hmac.compare_digest(row["cookie"], cookie.digest()):
                if key is not None and not hmac.compare_digest(row["key"], key.digest()):
                    return False
                if now - datetime.fromisoformat(row["seen_at"]) >= SEEN_STEP:
                    self._database.rows("UPDATE page_sessions SET seen_at = ? WHERE id = ?", (stamp(now), row["id"]))
                return True
        return False

    def revoke(self, session: str) -> None:
        self._database.rows("DELETE FROM page_sessions WHERE id = ?", (session,))

    def all(self) -> Sequence[PageSession]:
        rows = self._database.rows(_LIVE, (stamp(self._now() - LIFETIME),))
        return [_session(row) for row in rows]


def _session(row: Row) -> PageSession:
    created_at, seen_at = (datetime.fromisoformat(row[name]) for name in ("created_at", "seen_at"))
    return PageSession(row["id"], row["label"], created_at, seen_at)
