"""What SQLite's failures mean in our words; nowhere else are they read."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from doorkey.errors import DoorkeyError, StorageFull, StoreBusy, UnknownName, VaultDamaged

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
# What Python says, without a code, of a column whose text is none.
_NO_TEXT = "Could not decode to UTF-8"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreBusy, StorageFull, VaultDamaged or UnknownName for what SQLite says; other errors are our own bugs."""
    try:
        yield
    except UnicodeDecodeError as error:
        # A text of the schema, in a message of SQLite's.
        raise _damaged() from error
    except sqlite3.Error as error:
        meant = _damaged() if _NO_TEXT in str(error) else _meaning(getattr(error, "sqlite_errorcode", None))
        if meant is None:
            raise
        raise meant from error


def _meaning(code: int | None) -> DoorkeyError | None:
    if code is None:
        return None
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return UnknownName("What this belongs to does not exist any more.")
    primary = code & 0xFF
    if primary in _BUSY:
        return StoreBusy("Another program holds the database.")
    if primary in _FULL:
        return StorageFull("The disk is full, or failed while writing.")
    if primary in _UNWRITABLE:
        return StorageFull("The database cannot be opened for writing.")
    if primary in _DAMAGED:
        return _damaged()
    return None


def _damaged() -> VaultDamaged:
    return VaultDamaged("The file is damaged, or no database at all.")
