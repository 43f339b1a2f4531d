"""The shape of our two database files: how one is recognised, and brought up to date by numbered SQL files."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


def prepare(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring a file up to date, or raise VaultDamaged before anything in it is touched."""
    scripts = schema.scripts()
    if _version(connection, schema, len(scripts)) == len(scripts):
        return
    connection.execute("PRAGMA journal_mode = WAL")
    with immediate(connection):
        # Read again: another process may have come first.
        done = _version(connection, schema, len(scripts))
        for script in scripts[done:]:
            for statement in _statements(script.read_text()):
                connection.execute(statement)
        # A pragma takes no parameters; both numbers are our own.
        connection.execute(f"PRAGMA application_id = {schema.mark}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock from the start, so that nothing read inside is ever out of date; all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # A full disk has rolled back already.
            connection.execute("ROLLBACK")
        raise


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
