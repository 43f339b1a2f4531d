"""The shape of our two database files: how one is recognised, and brought up to date by numbered SQL files."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from doorkey.errors import VaultDamaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One kind of file. `mark` is its application id; `durable` makes every commit reach the disk before it returns."""

    mark: int
    migrations: Path
    durable: bool

    def scripts(self) -> Sequence[Path]:
        """The SQL files in their order; their number is the newest version that we know."""
        return sorted(self.migrations.glob("[0-9]*.sql"))


_MIGRATIONS = Path(__file__).with_name("migrations")
VAULT = Schema(mark=int.from_bytes(b"DkVa"), migrations=_MIGRATIONS / "vault", durable=True)
APP = Schema(mark=int.from_bytes(b"DkAp"), migrations=_MIGRATIONS / "app", durable=False)


def prepare(connection: sqlite3.Connection, schema: Schema, patience: timedelta) -> None:
    """Bring a file up to date, or raise VaultDamaged before anything in it is touched."""
    scripts = schema.scripts()
    # In one snapshot: while another process makes the file, two reads would see two states of it.
    with transaction(connection, "BEGIN"):
        done = _version(connection, schema, len(scripts))
    if done == len(scripts):
        return
    _keep_a_log(connection, patience)
    with transaction(connection, "BEGIN IMMEDIATE"):
        # Read again: another process may have come first.
        done = _version(connection, schema, len(scripts))
        for script in scripts[done:]:
            for statement in _statements(script.read_text()):
                connection.execute(statement)
        # A pragma takes no parameters; both numbers are our own.
        connection.execute(f"PRAGMA application_id = {schema.mark}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Do all or nothing; `BEGIN IMMEDIATE` holds the write lock from the start, so that no read inside goes stale."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # A full disk has rolled back already.
            connection.execute("ROLLBACK")
        raise


def _keep_a_log(connection: sqlite3.Connection, patience: timedelta) -> None:
    """Change a new file to a write-ahead log; for this alone SQLite does not wait by itself while others look at it."""
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _version(connection: sqlite3.Connection, schema: Schema, newest: int) -> int:
    mark: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if mark != schema.mark and (mark or version or tables):
        raise VaultDamaged("The file is a database, but not the one that Doorkey keeps there.")
    if version > newest:
        raise VaultDamaged("The file was made by a newer Doorkey.", hint="Update Doorkey; nothing was changed.")
    return version


def _statements(script: str) -> Iterator[str]:
    """Cut a script into its statements; `executescript` would commit our transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
