"""One schema of a PostgreSQL database that several machines share, in short transactions."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from threading import local
from typing import Any

from doorkey.adapters.store.database import PATIENCE, Value, Values
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_failures import translated
from doorkey.adapters.store.postgres_pool import Connection, Pool
from doorkey.adapters.store.postgres_schema import PostgresSchema, prepare

_PLACEHOLDER = re.compile(r"\?|:(\w+)|%")


class PostgresDatabase:
    """Fill `Database` with a schema that is made when it is not there yet.

    `patience` is how long others are waited for. A connection that was lost makes one call fail with StoreBusy at
    most; the next one connects anew.
    """

    def __init__(self, address: Address, schema: PostgresSchema, *, patience: timedelta = PATIENCE) -> None:
        self._address = address
        self._schema = schema
        self._patience = patience
        self._process = os.getpid()
        self._pool = self._new_pool()
        self._inherited: list[Pool] = []
        self._mine = local()
        try:
            with self._pool.lend() as connection, translated():
                prepare(connection, schema)
                self.is_local = address.is_local(connection.info)
        except BaseException:
            self._pool.close()
            raise

    def rows(self, sql: str, values: Values = ()) -> Sequence[dict[str, Any]]:
        """Run one statement and return its rows; outside of `transaction` it is a transaction by itself."""
        with self._connection() as connection, translated():
            cursor = connection.execute(_dialect(sql), _plain(values))
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self, of: str) -> Iterator[None]:
        """Make the statements inside one; no other one of the same name comes in between, on any machine."""
        with self._connection() as connection, translated(), connection.transaction():
            # A statement by itself, so that the next one sees what was committed while we waited.
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (self._schema.mark, of))
            self._mine.connection = connection
            try:
                yield
            finally:
                del self._mine.connection

    def version(self) -> int:
        """A number that changes with every committed change by anybody; the vault alone counts them."""
        (row,) = self.rows("SELECT CAST(sum(count) AS bigint) AS version FROM changes")
        return int(row["version"])

    def keep_room(self) -> None:
        """Leave that to whoever runs the server."""

    def give_room(self) -> bool:
        return False

    def close(self) -> None:
        """Close every connection; safe to call twice."""
        self._here().close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Give this thread's transaction, else a connection of the pool."""
        mine: Connection | None = getattr(self._mine, "connection", None)
        if mine is not None:
            yield mine
        else:
            with self._here().lend() as connection:
                yield connection

    def _here(self) -> Pool:
        if self._process != os.getpid():
            # After a fork. What the parent opened is not closed here, which would end the parent's sessions too.
            self._inherited.append(self._pool)
            self._pool, self._mine, self._process = self._new_pool(), local(), os.getpid()
        return self._pool

    def _new_pool(self) -> Pool:
        return Pool(self._connect, self._patience)

    def _connect(self) -> Connection:
        settings = {
            "search_path": self._schema.name,
            "statement_timeout": f"{self._patience / timedelta(milliseconds=1):.0f}",
            # A machine that is suspended inside a transaction must not hold up the others.
            "idle_in_transaction_session_timeout": "10s",
        } | ({"synchronous_commit": "on"} if self._schema.durable else {})
        with translated():
            connection = self._address.connect(self._patience)
            try:
                for name, value in settings.items():
                    connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            except BaseException:
                connection.close()
                raise
        return connection


@cache
def _dialect(sql: str) -> bytes:
    """Write `?` and `:name` as psycopg wants them; our SQL has neither in a literal."""

    def placeholder(found: re.Match[str]) -> str:
        if found[0] == "%":
            return "%%"
        return f"%({found[1]})s" if found[1] else "%s"

    return _PLACEHOLDER.sub(placeholder, sql).encode()


def _plain(values: Values) -> Sequence[Value] | Mapping[str, Value]:
    """Make plain texts of our words (psycopg would look up their enum), without NUL, which PostgreSQL cannot keep."""
    if isinstance(values, Mapping):
        return {name: _plain_value(value) for name, value in values.items()}
    return [_plain_value(value) for value in values]


def _plain_value(value: Value) -> Value:
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
