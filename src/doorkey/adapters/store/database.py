"""What the stores need of a database: SQL with `?` or `:name` in short transactions; SQLite and PostgreSQL fill it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol

PATIENCE = timedelta(seconds=5)

Value = str | int | float | bytes | None
Values = Sequence[Value] | Mapping[str, Value]


class Row(Protocol):
    """One row, read by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...
    def keys(self) -> Iterable[str]: ...


class Database(Protocol):
    """A database of ours, usable from every thread; every method raises StoreBusy, StorageFull and VaultDamaged."""

    def rows(self, sql: str, values: Values = ()) -> Sequence[Row]:
        """Run one statement and return its rows; outside of `transaction` it is a transaction by itself."""
        ...

    def transaction(self, of: str) -> AbstractContextManager[None]:
        """Make the statements inside one: all or nothing, and no other one of the same name in between. Keep it short.

        In PostgreSQL others go on meanwhile; SQLite lets no other writer in at all.
        """
        ...

    def version(self) -> int:
        """A number that changes with every change of the vault by anybody."""
        ...

    def keep_room(self) -> None:
        """Hold some room in reserve where the disk is ours; raise StorageFull where there is none."""
        ...

    def give_room(self) -> bool:
        """Free what `keep_room` holds; False where it holds nothing."""
        ...

    def close(self) -> None:
        """Close it; safe to call twice."""
        ...
