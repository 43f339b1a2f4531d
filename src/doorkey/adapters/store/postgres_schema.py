"""The shape of our two schemas in a PostgreSQL database: recognised, and brought up to date by numbered SQL files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.sql import SQL, Identifier

from doorkey.adapters.store.postgres_pool import Connection
from doorkey.errors import VaultDamaged


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSchema:
    """One schema. `mark` names its locks; `durable` makes every commit reach the disk, whatever the server's habit."""

    name: str
    mark: int
    migrations: Path
    durable: bool

    def scripts(self) -> Sequence[Path]:
        """The SQL files in their order; their number is the newest version that we know."""
        return sorted(self.migrations.glob("[0-9]*.sql"))


_MIGRATIONS = Path(__file__).with_name("migrations") / "postgres"
VAULT = PostgresSchema(
    name="doorkey_vault", mark=int.from_bytes(b"DkVa"), migrations=_MIGRATIONS / "vault", durable=True
)
APP = PostgresSchema(name="doorkey_app", mark=int.from_bytes(b"DkAp"), migrations=_MIGRATIONS / "app", durable=False)

_TABLES = "SELECT count(*) AS tables, coalesce(bool_or(tablename = 'migrations'), false) AS ours FROM pg_tables"
_RECORD = "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, done_at timestamptz NOT NULL)"


def prepare(connection: Connection, schema: PostgresSchema) -> None:
    """Bring a schema up to date, or raise VaultDamaged before anything in it is touched."""
    scripts = schema.scripts()
    if _version(connection, schema, len(scripts)) == len(scripts):
        return
    with connection.transaction():
        # First starts at once come one after the other; what was done meanwhile is seen by the next statement.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (schema.mark,))
        connection.execute("SET LOCAL statement_timeout = 0")
        done = _version(connection, schema, len(scripts))
        connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema.name)))
        connection.execute(_RECORD)
        for number, script in enumerate(scripts[done:], done + 1):
            # Without parameters, several statements go at once. The text is our own file.
            connection.execute(script.read_bytes())
            connection.execute("INSERT INTO migrations VALUES (%s, clock_timestamp())", (number,))


def _version(connection: Connection, schema: PostgresSchema, newest: int) -> int:
    (found,) = connection.execute(f"{_TABLES} WHERE schemaname = %s", (schema.name,))
    if not found["ours"]:
        if found["tables"]:
            raise VaultDamaged(f"The schema {schema.name} is not the one that Doorkey keeps there.")
        return 0
    (row,) = connection.execute("SELECT coalesce(max(number), 0) AS version FROM migrations")
    version: int = row["version"]
    if version > newest:
        raise VaultDamaged("The database was made by a newer Doorkey.", hint="Update Doorkey; nothing was changed.")
    return version
