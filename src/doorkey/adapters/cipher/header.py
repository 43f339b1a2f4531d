"""The vault's header: which master key it wants, and the data keys that this one wraps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes, token_hex

from doorkey.adapters.cipher.envelope import ID_SIZE, Key, seal, unseal
from doorkey.adapters.key_sources.source import KEY_SIZE, Lock, NewKey
from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database
from doorkey.errors import KeyUnreadable, StoreBusy

# Whoever seals a row or changes the keys does it in a transaction of this name, one after the other.
KEYS = "keys"


@dataclass(frozen=True, slots=True)
class Left:
    """A source that still holds the master key before this one, and what recognises that key."""

    source: str
    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a vault says of its keys, all of it in clear; `newest` is the data key that seals.

    A data key is wrapped by AES-256-GCM, not by RFC 3394, because only the former binds it to its vault and its id.
    """

    lock: Lock
    source: str
    wrapped: Mapping[bytes, bytes]
    newest: bytes
    left: Left | None = None

    @property
    def rotating(self) -> bool:
        """Whether older data keys still wait for their rows to be sealed again."""
        return len(self.wrapped) > 1

    def unwrap(self, secret: bytes, key_id: bytes) -> Key:
        """Open a data key; raise KeyUnreadable where the vault does not have it."""
        if key_id not in self.wrapped:
            raise KeyUnreadable("A value was sealed for another vault.", hint="Restore the vault from a backup.")
        master = Key(self.lock.master, secret)
        return Key(key_id, unseal(master, self.wrapped[key_id], _place(self.lock.vault, key_id)))


def new_vault() -> str:
    """Choose the id of a vault that has none yet."""
    return token_hex(16)


def read_header(database: Database) -> Header | None:
    """Read the header; None where nothing has been sealed yet."""
    for row in database.rows("SELECT * FROM header"):
        keys = database.rows("SELECT * FROM data_keys ORDER BY number")
        if not keys:
            raise KeyUnreadable("The vault has lost its data keys.", hint="Restore the vault from a backup.")
        vault, left = row["vault"], row["left_source"]
        return Header(
            lock=Lock(vault=vault, master=row["master"], derivation=row["derivation"]),
            source=row["source"],
            wrapped={key["id"]: key["wrapped"] for key in keys},
            newest=keys[-1]["id"],
            left=Left(left, Lock(vault=vault, master=row["left_master"])) if left else None,
        )
    return None


def current_header(database: Database, lock: Lock) -> Header:
    """Read the header inside a transaction, to change it. Raises StoreBusy where the master key is another by now."""
    header = read_header(database)
    if header is None or header.lock != lock:
        raise StoreBusy("Another program changed the vault's key meanwhile.", hint="Run the command again.")
    return header


def write_header(database: Database, vault: str, made: NewKey, source: str) -> None:
    """Give a new vault its header and its first data key; to be called inside a transaction."""
    lock = Lock.of(vault, *made)
    database.rows(
        "INSERT INTO header (one, vault, master, derivation, source, created_at) VALUES (1, ?, ?, ?, ?, ?)",
        (vault, lock.master, lock.derivation, source, _now()),
    )
    add_data_key(database, lock, made.secret)


def add_data_key(database: Database, lock: Lock, secret: bytes) -> None:
    """Make a data key that seals from now on; to be called inside a transaction."""
    made = Key(token_bytes(ID_SIZE), token_bytes(KEY_SIZE))
    wrapped = _wrap(Key(lock.master, secret), lock.vault, made)
    database.rows("INSERT INTO data_keys (id, wrapped, created_at) VALUES (?, ?, ?)", (made.id, wrapped, _now()))


def change_master(database: Database, header: Header, secret: bytes, made: NewKey, source: str) -> None:
    """Wrap every data key anew and remember what was left; to be called inside a transaction."""
    lock = Lock.of(header.lock.vault, *made)
    for key_id in header.wrapped:
        wrapped = _wrap(Key(lock.master, made.secret), lock.vault, header.unwrap(secret, key_id))
        database.rows("UPDATE data_keys SET wrapped = ? WHERE id = ?", (wrapped, key_id))
    stays = (source, lock.master) == (header.source, header.lock.master)
    left = (None, None) if stays else (header.source, header.lock.master)
    database.rows(
        "UPDATE header SET master = ?, derivation = ?, source = ?, left_source = ?, left_master = ?",
        (lock.master, lock.derivation, source, *left),
    )


def forget_left(database: Database, left: Left) -> None:
    """Note that the old master key has been removed from its source."""
    clear = "UPDATE header SET left_source = NULL, left_master = NULL WHERE left_source = ? AND left_master = ?"
    database.rows(clear, (left.source, left.lock.master))


def _wrap(master: Key, vault: str, key: Key) -> bytes:
    return seal(master, key.secret, _place(vault, key.id))


def _place(vault: str, key_id: bytes) -> str:
    return f"doorkey data key|{vault}|{key_id.hex()}"


def _now() -> str:
    return stamp(datetime.now(UTC))
