"""Sign-ins under way: their state, verifier, nonce and device code sealed, swept when they have expired."""

import json
from dataclasses import asdict, fields
from datetime import datetime, timedelta

from doorkey.adapters.cipher.vault_cipher import Seal, VaultCipher
from doorkey.adapters.store.accounts import pack_tokens, unpack_tokens
from doorkey.adapters.store.columns import sensible, stamp
from doorkey.adapters.store.database import Database, Row, Value
from doorkey.domain.account import Identity
from doorkey.domain.attempt import Arrival, Attempt, Callback, Device, Status
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, UnknownName

LONGEST_EXCHANGE = timedelta(minutes=5)
_SECRETS = ("state", "verifier", "nonce")
_TIMES = ("created_at", "expires_at")

_INSERT = """
INSERT INTO attempts (id, status, expires_at, details, state, verifier, nonce, device, held)
VALUES (:id, :status, :expires_at, :details, :state, :verifier, :nonce, :device, :held)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_UPDATE = """
UPDATE attempts SET status = :status, expires_at = :expires_at, details = :details,
    state = :state, verifier = :verifier, nonce = :nonce, device = :device, held = :held
WHERE id = :id AND status = :was RETURNING id
"""
_SWEEP = "DELETE FROM attempts WHERE expires_at <= :now AND (status <> 'exchanging' OR expires_at <= :long_ago)"


class SqlAttempts:
    """Fill `ports.Attempts`; a new attempt sweeps what had expired when it began, except an exchange under way."""

    def __init__(self, database: Database, cipher: VaultCipher) -> None:
        self._database = database
        self._cipher = cipher

    def save(self, attempt: Attempt, *, was: Status | None) -> bool:
        began = attempt.created_at
        with self._cipher.sealing() as seal:
            row = _row(attempt, seal) | {"was": was}
            if was is not None:
                return bool(self._database.rows(_UPDATE, row))
            self.sweep(began)
            return bool(self._database.rows(_INSERT, row))

    def load(self, attempt: str) -> Attempt:
        row = self._row(attempt)
        try:
            return self._open(row)
        except KeyUnreadable:
            # A rotation may have sealed it again, and ended its former key, since it was read.
            newer = self._row(attempt)
            if newer["state"] == row["state"]:
                raise
            return self._open(newer)

    def sweep(self, now: datetime) -> None:
        self._database.rows(_SWEEP, {"now": stamp(now), "long_ago": stamp(now - LONGEST_EXCHANGE)})

    def _row(self, attempt: str) -> Row:
        for row in self._database.rows("SELECT * FROM attempts WHERE id = ?", (attempt,)):
            return row
        raise UnknownName("There is no such sign-in.", hint="Start the sign-in again.")

    def _open(self, row: Row) -> Attempt:
        def opened(column: str) -> Secret:
            return Secret(self._cipher.open(row[column], place(row["id"], column)).decode())

        with sensible():
            parts = json.loads(row["details"])
            parts |= {name: datetime.fromisoformat(parts[name]) for name in _TIMES}
            parts |= {name: opened(name) for name in _SECRETS}
            parts["device"] = _read_device(opened("device")) if row["device"] is not None else None
            parts |= _read_held(opened("held")) if row["held"] is not None else {}
            return Attempt(**(parts | {"status": Status(row["status"])}))


def place(attempt: str, column: str) -> str:
    """Name the place that a secret of an attempt is sealed for."""
    return f"attempts|{attempt}|{column}"


def _row(attempt: Attempt, seal: Seal) -> dict[str, Value]:
    parts = {field.name: getattr(attempt, field.name) for field in fields(attempt)}
    secrets: dict[str, Value] = {
        name: seal(parts.pop(name).reveal().encode(), place(attempt.id, name)) for name in _SECRETS
    }
    device = parts.pop("device")
    secrets["device"] = seal(_write_device(device), place(attempt.id, "device")) if device else None
    callback, arrived = parts.pop("callback"), parts.pop("arrived")
    held = _write_held(callback, arrived) if callback or arrived else None
    secrets["held"] = seal(held, place(attempt.id, "held")) if held else None
    parts |= {name: stamp(parts[name]) for name in _TIMES}
    return {
        "id": parts["id"],
        "status": parts["status"],
        "expires_at": parts["expires_at"],
        "details": json.dumps(parts),
        **secrets,
    }


def _write_device(device: Device) -> bytes:
    # As a whole: who reads the code that a person types could have another approve it.
    parts = {field.name: getattr(device, field.name) for field in fields(device)}
    parts |= {"code": device.code.reveal(), "interval": device.interval.total_seconds()}
    return json.dumps(parts).encode()


def _read_device(written: Secret) -> Device:
    parts = json.loads(written.reveal())
    return Device(**(parts | {"code": Secret(parts["code"]), "interval": timedelta(seconds=parts["interval"])}))


def _write_held(callback: Callback | None, arrived: Arrival | None) -> bytes:
    """Write what waits for a person's word."""
    return json.dumps(
        {
            "callback": [callback.code.reveal(), callback.client_id] if callback else None,
            "arrived": [asdict(arrived.identity), pack_tokens(arrived.tokens).decode()] if arrived else None,
        }
    ).encode()


def _read_held(written: Secret) -> dict[str, Callback | Arrival | None]:
    parts = json.loads(written.reveal())
    callback, arrived = parts["callback"], parts["arrived"]
    return {
        "callback": Callback(Secret(callback[0]), callback[1]) if callback else None,
        "arrived": Arrival(Identity(**arrived[0]), unpack_tokens(arrived[1].encode())) if arrived else None,
    }
