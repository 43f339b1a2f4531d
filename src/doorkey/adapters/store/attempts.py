"""Sign-ins under way: their state, verifier and nonce sealed, swept when they have expired."""

import json
from dataclasses import fields
from datetime import datetime, timedelta

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database, Value
from doorkey.domain.attempt import Attempt, Status
from doorkey.domain.secret import Secret
from doorkey.errors import UnknownName
from doorkey.ports import Cipher

LONGEST_EXCHANGE = timedelta(minutes=5)
_SECRETS = ("state", "verifier", "nonce")
_TIMES = ("created_at", "expires_at")

_INSERT = """
INSERT INTO attempts (id, status, expires_at, details, state, verifier, nonce)
VALUES (:id, :status, :expires_at, :details, :state, :verifier, :nonce)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_UPDATE = """
UPDATE attempts SET status = :status, expires_at = :expires_at, details = :details,
    state = :state, verifier = :verifier, nonce = :nonce
WHERE id = :id AND status = :was RETURNING id
"""
_SWEEP = "DELETE FROM attempts WHERE expires_at <= :now AND (status <> 'exchanging' OR expires_at <= :long_ago)"


class SqlAttempts:
    """Fill `ports.Attempts`; a new attempt sweeps what had expired when it began, except an exchange under way."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def save(self, attempt: Attempt, *, was: Status | None) -> bool:
        row = self._row(attempt) | {"was": was}
        if was is not None:
            return bool(self._database.rows(_UPDATE, row))
        began = attempt.created_at
        with self._database.transaction("attempts"):
            self._database.rows(_SWEEP, {"now": stamp(began), "long_ago": stamp(began - LONGEST_EXCHANGE)})
            return bool(self._database.rows(_INSERT, row))

    def load(self, attempt: str) -> Attempt:
        for row in self._database.rows("SELECT * FROM attempts WHERE id = ?", (attempt,)):
            parts = json.loads(row["details"])
            parts |= {name: datetime.fromisoformat(parts[name]) for name in _TIMES}
            parts |= {name: self._open(attempt, name, row[name]) for name in _SECRETS}
            return Attempt(**(parts | {"status": Status(row["status"])}))
        raise UnknownName("There is no such sign-in.", hint="Start the sign-in again.")

    def _row(self, attempt: Attempt) -> dict[str, Value]:
        parts = {field.name: getattr(attempt, field.name) for field in fields(attempt)}
        secrets = {name: self._seal(attempt.id, name, parts.pop(name)) for name in _SECRETS}
        parts |= {name: stamp(parts[name]) for name in _TIMES}
        return {
            "id": parts["id"],
            "status": parts["status"],
            "expires_at": parts["expires_at"],
            "details": json.dumps(parts),
            **secrets,
        }

    def _seal(self, attempt: str, column: str, secret: Secret) -> bytes:
        return self._cipher.seal(secret.reveal().encode(), _place(attempt, column))

    def _open(self, attempt: str, column: str, sealed: bytes) -> Secret:
        return Secret(self._cipher.open(sealed, _place(attempt, column)).decode())


def _place(attempt: str, column: str) -> str:
    return f"attempts|{attempt}|{column}"
