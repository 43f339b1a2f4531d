"""What the sandbox remembers: one sqlite database, with every secret kept as its SHA-256 only."""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorkey.sandbox.clients import Client, Dialect, plan_client
from doorkey.sandbox.people import Account

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signing_key (id INTEGER PRIMARY KEY CHECK (id = 1), jwk TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS issued_clients (id TEXT PRIMARY KEY, name TEXT NOT NULL, host_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY, client_id TEXT NOT NULL, dialect TEXT NOT NULL, account TEXT NOT NULL,
    scope TEXT NOT NULL, resource TEXT, nonce TEXT, ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants, redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL, state TEXT NOT NULL, expires_at REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants, expires_at REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS access_tokens (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants, scope TEXT NOT NULL,
    expires_at REAL NOT NULL, ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS api_keys (
    hash TEXT PRIMARY KEY, ending TEXT NOT NULL, made_at REAL NOT NULL, ended INTEGER NOT NULL DEFAULT 0);
"""


def digest(secret: str) -> str:
    """Give the only form in which a secret is stored or looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person allowed a client; ending it ends everything that was issued for it."""

    id: str
    client_id: str
    dialect: Dialect
    account: Account
    scope: str
    resource: str | None
    nonce: str | None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An authorization code: what it was issued for and whether it was used."""

    grant_id: str
    redirect_uri: str
    challenge: str
    state: str
    expires_at: float
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A stored access or refresh token; `spent` means ended or already rotated."""

    grant_id: str
    scope: str
    expires_at: float
    spent: bool


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A practice key as its page lists it: the secret itself is shown once, when it is made."""

    hash: str
    ending: str
    made_at: float


class Ledger:
    """The tables. Without a file everything is in memory; a file is created readable by its owner only."""

    def __init__(self, state_file: Path | None) -> None:
        if state_file is not None:
            os.close(os.open(state_file, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock = threading.RLock()
        self._db = sqlite3.connect(state_file or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen together or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _run(self, sql: str, *values: Any) -> int:
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def _row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return row

    def signing_key(self) -> dict[str, Any] | None:
        """Load the private key that signs ID tokens."""
        row = self._row("SELECT jwk FROM signing_key")
        return json.loads(row["jwk"]) if row else None

    def keep_signing_key(self, jwk: dict[str, Any]) -> None:
        """Store the private key that signs ID tokens."""
        self._run("INSERT INTO signing_key VALUES (1, ?)", json.dumps(jwk))

    def add_client(self, client: Client) -> None:
        """Store a client that registered itself."""
        self._run("INSERT INTO issued_clients VALUES (?, ?, ?)", client.id, client.name, client.host_id)

    def client(self, client_id: str) -> Client | None:
        """Find a client that registered itself."""
        row = self._row("SELECT * FROM issued_clients WHERE id = ?", client_id)
        return plan_client(row["id"], row["name"], row["host_id"]) if row else None

    def add_grant(self, grant: Grant) -> None:
        """Store what a person allowed."""
        account = json.dumps(grant.account.to_json())
        self._run(
            "INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            grant.id,
            grant.client_id,
            grant.dialect,
            account,
            grant.scope,
            grant.resource,
            grant.nonce,
        )

    def grant(self, grant_id: str) -> Grant:
        """Load a grant that a code or token points at."""
        row = self._row("SELECT * FROM grants WHERE id = ?", grant_id)
        if row is None:
            raise LookupError(grant_id)
        return Grant(
            id=row["id"],
            client_id=row["client_id"],
            dialect=Dialect(row["dialect"]),
            account=Account.from_json(json.loads(row["account"])),
            scope=row["scope"],
            resource=row["resource"],
            nonce=row["nonce"],
            ended=bool(row["ended"]),
        )

    def end_grant(self, grant_id: str) -> None:
        """End a grant and with it every token that was issued for it."""
        self._run("UPDATE grants SET ended = 1 WHERE id = ?", grant_id)

    def add_code(self, secret: str, code: Code) -> None:
        """Store a code that was just issued."""
        self._run(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, 0)",
            digest(secret),
            code.grant_id,
            code.redirect_uri,
            code.challenge,
            code.state,
            code.expires_at,
        )

    def take_code(self, secret: str) -> Code | None:
        """Mark a code as used and tell how it stood before."""
        row = self._row("SELECT * FROM codes WHERE hash = ?", digest(secret))
        if row is None:
            return None
        self._run("UPDATE codes SET used = 1 WHERE hash = ?", digest(secret))
        return Code(
            grant_id=row["grant_id"],
            redirect_uri=row["redirect_uri"],
            challenge=row["challenge"],
            state=row["state"],
            expires_at=row["expires_at"],
            used=bool(row["used"]),
        )

    def add_refresh(self, secret: str, grant_id: str, expires_at: float) -> None:
        """Store a refresh token."""
        self._run("INSERT INTO refresh_tokens VALUES (?, ?, ?, 0)", digest(secret), grant_id, expires_at)

    def refresh(self, secret: str) -> Token | None:
        """Find a refresh token, used or not."""
        row = self._row(
            "SELECT r.*, g.scope FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE hash = ?",
            digest(secret),
        )
        return _token(row, "used") if row else None

    def spend_refresh(self, secret: str) -> None:
        """Mark a refresh token as used: it works once."""
        self._run("UPDATE refresh_tokens SET used = 1 WHERE hash = ?", digest(secret))

    def add_access(self, secret: str, token: Token) -> None:
        """Store an access token."""
        self._run(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, 0)",
            digest(secret),
            token.grant_id,
            token.scope,
            token.expires_at,
        )

    def access(self, secret: str) -> Token | None:
        """Find an access token, live or not."""
        row = self._row("SELECT * FROM access_tokens WHERE hash = ?", digest(secret))
        return _token(row, "ended") if row else None

    def end_access(self, secret: str) -> None:
        """Revoke one access token."""
        self._run("UPDATE access_tokens SET ended = 1 WHERE hash = ?", digest(secret))

    def expire_access(self, secret: str) -> None:
        """Let one access token be past its time."""
        self._run("UPDATE access_tokens SET expires_at = 0 WHERE hash = ?", digest(secret))

    def add_key(self, secret: str, made_at: float) -> None:
        """Store a practice key."""
        self._run("INSERT INTO api_keys VALUES (?, ?, ?, 0)", digest(secret), secret[-4:], made_at)

    def key_works(self, secret: str) -> bool:
        """Tell whether this is a practice key that was not revoked."""
        return self._row("SELECT 1 FROM api_keys WHERE hash = ? AND NOT ended", digest(secret)) is not None

    def keys(self) -> list[ApiKey]:
        """List the working practice keys, newest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM api_keys WHERE NOT ended ORDER BY made_at DESC, rowid DESC")
            return [ApiKey(row["hash"], row["ending"], row["made_at"]) for row in rows]

    def end_key(self, key_hash: str) -> None:
        """Revoke the practice key with this digest."""
        self._run("UPDATE api_keys SET ended = 1 WHERE hash = ?", key_hash)


def _token(row: sqlite3.Row, spent_column: str) -> Token:
    return Token(
        grant_id=row["grant_id"],
        scope=row["scope"],
        expires_at=row["expires_at"],
        spent=bool(row[spent_column]),
    )
