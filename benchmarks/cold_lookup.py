"""Look a token up without anything in memory: among 10 accounts, and among 100,000 (SQLite) or 1,000,000 (PostgreSQL).

One account is signed in for real, and is the default. The others are copies of its row, made by one SQL statement, with
an id and an identity of their own and without tokens: nobody asks for those.
"""

import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg
from practice import signed_in_home

from doorkey.bootstrap import House, open_house
from doorkey.service.resolve import Wish

POSTGRES = os.environ.get("DOORKEY_TEST_POSTGRES", "postgresql://doorkey_test:doorkey_test@127.0.0.1:5432/postgres")
FEW = 10
ROUNDS = 41
COPIED = "method, origins, payer, standing, renews, expires_at, generation"
COPY = """
INSERT INTO accounts (id, provider, identity, created_at, tokens, {copied})
SELECT id || '-' || number, provider, replace(identity, '"subject": "', '"subject": "' || number || '-'),
    '2099' || substr(created_at, 5), substr(tokens, 1, 1), {copied}
FROM accounts, {numbers}
"""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'accounts' AND indexdef NOT LIKE 'CREATE UNIQUE %'
"""

Environ = dict[str, str]
Fill = Callable[[int], None]


def main() -> None:
    """Measure both databases, the few and the many by turns; a warm-up round comes first."""
    for name, many, vault in (("SQLite", 100_000, in_sqlite), ("PostgreSQL", 1_000_000, in_postgres)):
        with ExitStack() as ends:
            environs = [ends.enter_context(vault(size - 1)) for size in (FEW, many)]
            took: tuple[list[float], ...] = ([], [])
            for _ in range(1 + ROUNDS):
                for environ, times in zip(environs, took, strict=True):
                    times.append(cold(environ))
        few, much = (median(times[1:]) * 1000 for times in took)
        print(
            f"{name:10} a cold look-up took {much:.2f} ms among {many:,} accounts, {few:.2f} ms among {FEW}: "
            f"{much / few:.2f} times as long (medians of {ROUNDS} by turns)"
        )


def cold(environ: Environ) -> float:
    """Time the first token of a new object graph over new connections."""
    began = time.perf_counter()
    with open_house(environ=environ) as house:
        look_up(house)
        return time.perf_counter() - began


def look_up(house: House) -> None:
    """Choose the default account and get its token."""
    house.services.sources.of(house.services.resolver.choose(Wish(provider="sandbox"))).get()


@contextmanager
def in_sqlite(copies: int) -> Iterator[Environ]:
    """Give a vault in a file, with so many copies of its one account."""
    with TemporaryDirectory() as folder, signed_in_home(Path(folder)) as (_, environ):
        (path,) = Path(folder).rglob("vault.db")
        numbers = f"(WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < {copies}) "
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(COPY.format(copied=COPIED, numbers=f"{numbers}SELECT number FROM n)"))
        yield environ


@contextmanager
def in_postgres(copies: int) -> Iterator[Environ]:
    """Give a vault in a database of its own, with so many copies of its one account."""
    name = f"doorkey_benchmark_{uuid.uuid4().hex}"
    url = f"{POSTGRES.rpartition('/')[0]}/{name}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            with (
                TemporaryDirectory() as folder,
                signed_in_home(Path(folder), DOORKEY_DATABASE_URL=url) as (_, environ),
                psycopg.connect(url, autocommit=True) as connection,
            ):
                connection.execute("SET search_path = doorkey_vault")
                numbers = f"generate_series(1, {copies}) AS n(number)"
                indexes = connection.execute(INDEXES).fetchall()
                for index, _ in indexes:
                    connection.execute(f"DROP INDEX {index}")
                connection.execute(COPY.format(copied=COPIED, numbers=numbers).encode())
                # Making an index of what is there takes much less time than keeping it up while a million rows come.
                for _, definition in indexes:
                    connection.execute(definition)
                # As the server does by itself in the minutes after such a change.
                connection.execute("VACUUM ANALYZE accounts")
                yield environ
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
