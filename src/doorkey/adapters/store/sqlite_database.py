"""One SQLite file of ours: made when it is not there yet, in one connection for all threads."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import RLock

from doorkey.adapters.store.database import PATIENCE, Values
from doorkey.adapters.store.failures import translated
from doorkey.adapters.store.room import Room
from doorkey.adapters.store.schema import Schema, prepare, transaction
from doorkey.errors import StorageFull


@dataclass(frozen=True, slots=True)
class _Session:
    """A connection with its lock, and the process that both belong to."""

    connection: sqlite3.Connection
    lock: RLock = field(default_factory=RLock)
    process: int = field(default_factory=os.getpid)


class SqliteDatabase:
    """Fill `Database` with a file that is made, private to the person, when it is not there yet.

    One connection serves all threads, one after the other: every use is short. `patience` is how long another
    process is waited for. Raises StoreBusy, StorageFull and VaultDamaged from every method.
    """

    def __init__(self, path: Path, schema: Schema, *, patience: timedelta = PATIENCE) -> None:
        self._path = path
        self._schema = schema
        self._patience = patience
        self._room = Room(path.with_name(f"{path.name}-room"))
        self._session = self._open()
        self._inherited: list[_Session] = []

    def rows(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """Run one statement and return its rows; outside of `transaction` it is a transaction by itself."""
        session = self._here()
        with session.lock, translated():
            return session.connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self, of: str) -> Iterator[None]:
        """Make the statements inside one; whatever it is of, no other writer comes in between."""
        session = self._here()
        with session.lock, translated(), transaction(session.connection, "BEGIN IMMEDIATE"):
            yield

    def version(self) -> int:
        """A number that changes with every change by anybody: SQLite counts those of others, and our own."""
        session = self._here()
        with session.lock, translated():
            (others,) = session.connection.execute("PRAGMA data_version").fetchone()
            # The process is part of it, because a child of a fork counts anew and may meet an old number again.
            return (session.process << 32) + int(others) + session.connection.total_changes

    def keep_room(self) -> None:
        self._room.keep()

    def give_room(self) -> bool:
        return self._room.give()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        session = self._here()
        with session.lock:
            session.connection.close()

    def _here(self) -> _Session:
        session = self._session
        if session.process != os.getpid():
            # After a fork. What the parent opened is neither used nor closed here, which could damage the file:
            # https://sqlite.org/howtocorrupt.html, section 2.6.
            self._inherited.append(session)
            session = self._session = self._open()
        return session

    def _open(self) -> _Session:
        _make_private(self._path)
        with translated():
            seconds = self._patience.total_seconds()
            connection = sqlite3.connect(self._path, timeout=seconds, isolation_level=None, check_same_thread=False)
            try:
                prepare(connection, self._schema, self._patience)
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute(f"PRAGMA synchronous = {'FULL' if self._schema.durable else 'NORMAL'}")
                # What was deleted is overwritten, in every build of SQLite: nothing forgotten stays, not even sealed.
                connection.execute("PRAGMA secure_delete = ON")
                # On macOS only this reaches the disk itself; elsewhere it does nothing.
                connection.execute(f"PRAGMA fullfsync = {self._schema.durable:d}")
            except BaseException:
                connection.close()
                raise
        connection.row_factory = sqlite3.Row
        return _Session(connection)


def _make_private(path: Path) -> None:
    """Make the file, readable by the person alone, before SQLite does; its WAL then gets the same mode.

    An existing file is not opened: closing it again would drop the locks that SQLite holds in this process.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageFull("The folder of the database cannot be written.") from error
