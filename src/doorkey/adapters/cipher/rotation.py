"""Rotation: every row sealed again under a new data key, in batches that can be broken off and gone on with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doorkey.adapters.cipher import envelope
from doorkey.adapters.cipher.header import KEYS, add_data_key, current_header
from doorkey.adapters.key_sources.source import Lock
from doorkey.adapters.store import accounts, attempts
from doorkey.adapters.store.database import Database, Row
from doorkey.errors import KeyUnreadable

BATCH = 100


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with sealed columns, and what each of them is bound to: its place, told by the `bound` columns.

    `places` gives what the place is called, and after it what older versions called it.
    """

    table: str
    columns: Sequence[str]
    bound: Sequence[str]
    places: Callable[[Row, str], Sequence[str]]

    @property
    def stale(self) -> str:
        """Write the condition for rows that another key than `:key` still seals; an envelope names its key."""
        first, last = len(envelope.VERSION) + 1, envelope.ID_SIZE
        return " OR ".join(f"substr({column}, {first}, {last}) <> :key" for column in self.columns)


TABLES = (
    Sealed("accounts", ("tokens",), accounts.BOUND, lambda row, _: accounts.places(row)),
    Sealed(
        "attempts",
        ("state", "verifier", "nonce", "device", "held"),
        ("id",),
        lambda row, column: [attempts.place(row["id"], column)],
    ),
)


class Rotation:
    """One rotation by a master key that was found: both data keys are in the header until it is done.

    `batch` is how many rows of a table are sealed in one transaction. No generation moves: the rows are what they were.
    Raises StoreBusy where the master key changes meanwhile.
    """

    def __init__(self, database: Database, lock: Lock, secret: bytes, batch: int = BATCH) -> None:
        self._database = database
        self._lock = lock
        self._secret = secret
        self._batch = batch

    def begin(self) -> None:
        """Make the new data key, unless a rotation was broken off: that one is gone on with."""
        with self._database.transaction(KEYS):
            if not current_header(self._database, self._lock).rotating:
                add_data_key(self._database, self._lock, self._secret)

    def go_on(self) -> int:
        """Seal a batch again and return how many rows are left; at 0 the older data keys are gone."""
        with self._database.transaction(KEYS):
            header = current_header(self._database, self._lock)
            keys = {key_id: header.unwrap(self._secret, key_id) for key_id in header.wrapped}
            for sealed in TABLES:
                self._reseal(sealed, keys, keys[header.newest])
            left = sum(self._left(sealed, header.newest) for sealed in TABLES)
            if not left:
                self._database.rows("DELETE FROM data_keys WHERE id <> ?", (header.newest,))
        return left

    def _reseal(self, sealed: Sealed, keys: dict[bytes, envelope.Key], newest: envelope.Key) -> None:
        assignments = ", ".join(f"{column} = :{column}" for column in sealed.columns)
        # Only these columns: what a provider named itself may be a text that SQLite does not give back.
        wanted = ", ".join((*sealed.bound, *sealed.columns))
        stale = f"SELECT {wanted} FROM {sealed.table} WHERE {sealed.stale} LIMIT {self._batch}"  # noqa: S608 - Our own names.
        change = f"UPDATE {sealed.table} SET {assignments} WHERE id = :id"  # noqa: S608
        for row in self._database.rows(stale, {"key": newest.id}):
            again = {name: _again(keys, newest, row[name], sealed.places(row, name)) for name in sealed.columns}
            self._database.rows(change, {**again, "id": row["id"]})

    def _left(self, sealed: Sealed, newest: bytes) -> int:
        count = f"SELECT count(*) AS left_over FROM {sealed.table} WHERE {sealed.stale}"  # noqa: S608
        (row,) = self._database.rows(count, {"key": newest})
        return int(row["left_over"])


def _again(
    keys: dict[bytes, envelope.Key], newest: envelope.Key, sealed: bytes | None, places: Sequence[str]
) -> bytes | None:
    if sealed is None:
        return None
    key = keys.get(envelope.key_id(sealed))
    if key is None:
        raise KeyUnreadable("A value was sealed for another vault.", hint="Restore the vault from a backup.")
    return envelope.seal(newest, envelope.unseal(key, sealed, *places), places[0])
