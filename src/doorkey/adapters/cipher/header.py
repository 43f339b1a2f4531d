"""The vault's header: which master key it wants, and the data keys that this one wraps."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes, token_hex

from doorkey.adapters.cipher.envelope import ID_SIZE, Key, seal, unseal
from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database
from doorkey.errors import KeyUnreadable

KEY_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a vault says of its keys, all of it in clear; `newest` is the data key that seals.

    `master` is a keyed hash of the vault's id: it recognises the master key and tells nothing of it. A data key is
    wrapped by AES-256-GCM, not by RFC 3394, because only the former binds it to its vault and its id.
    """

    vault: str
    master: bytes
    source: str
    wrapped: Mapping[bytes, bytes]
    newest: bytes

    def accepts(self, secret: bytes) -> bool:
        """Whether this is the master key that the vault was made with."""
        return hmac.compare_digest(self.master, _recognise(secret, self.vault))

    def unwrap(self, secret: bytes, key_id: bytes) -> Key:
        """Open a data key; raise KeyUnreadable where the vault does not have it."""
        if key_id not in self.wrapped:
            raise KeyUnreadable("A value was sealed for another vault.", hint="Restore the vault from a backup.")
        master = Key(self.master, secret)
        return Key(key_id, unseal(master, self.wrapped[key_id], _place(self.vault, key_id)))


def read_header(database: Database) -> Header | None:
    """Read the header; None where nothing has been sealed yet."""
    for row in database.rows("SELECT * FROM header"):
        keys = database.rows("SELECT * FROM data_keys ORDER BY number")
        if not keys:
            raise KeyUnreadable("The vault has lost its data keys.", hint="Restore the vault from a backup.")
        wrapped = {key["id"]: key["wrapped"] for key in keys}
        return Header(
            vault=row["vault"], master=row["master"], source=row["source"], wrapped=wrapped, newest=keys[-1]["id"]
        )
    return None


def write_header(database: Database, secret: bytes, source: str) -> None:
    """Give a new vault its id and its first data key; to be called inside a transaction."""
    vault, now = token_hex(16), stamp(datetime.now(UTC))
    master = Key(_recognise(secret, vault), secret)
    data_key = Key(token_bytes(ID_SIZE), token_bytes(KEY_SIZE))
    wrapped = seal(master, data_key.secret, _place(vault, data_key.id))
    header = "INSERT INTO header (one, vault, master, source, created_at) VALUES (1, ?, ?, ?, ?)"
    database.rows(header, (vault, master.id, source, now))
    database.rows("INSERT INTO data_keys (id, wrapped, created_at) VALUES (?, ?, ?)", (data_key.id, wrapped, now))


def _recognise(secret: bytes, vault: str) -> bytes:
    return hmac.digest(secret, f"doorkey master key|{vault}".encode(), hashlib.sha256)[:ID_SIZE]


def _place(vault: str, key_id: bytes) -> str:
    return f"doorkey data key|{vault}|{key_id.hex()}"
