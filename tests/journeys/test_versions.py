"""Two versions of the program at once: the older one leaves what a newer one made as it is, and says what to do."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in
from tests.journeys.program import Program

pytestmark = pytest.mark.slow

NEEDS_VAULT = ["accounts", "token acme", "login acme --method api-key", "key rotate", "export out.doorkey"]
NEEDS_CHATS = ["chat --model acme:practice-small hello", "usage", "open --port 0 --no-browser"]


@pytest.fixture
def signed_in(program):
    """A home in which both databases are there."""
    sign_in(program, "acme")
    assert program.run("audit").code == 0
    return program


def become_newer(database):
    with closing(sqlite3.connect(database)) as newer:
        newer.execute("PRAGMA user_version = 99")


def refused(ended):
    """Whether it was said politely that this is for a newer program."""
    return (ended.code, ended.out) == (6, "") and "newer Doorkey" in ended.err and "hint: Update Doorkey" in ended.err


@pytest.mark.parametrize(("name", "lines"), [("vault.db", NEEDS_VAULT), ("app.db", NEEDS_CHATS)])
def test_files_of_a_newer_version_are_left_alone(signed_in, name, lines):
    become_newer(signed_in.home / name)
    before = {path.name: path.read_bytes() for path in signed_in.home.glob("*") if path.suffix in {".db", ".key"}}

    ended = [signed_in.run(*line.split(), stdin="sk-new-key\n") for line in lines]

    assert [each for each in ended if not refused(each)] == []
    assert {name: (signed_in.home / name).read_bytes() for name in before} == before
    assert not (signed_in.home / "out.doorkey").exists()


def test_chats_of_a_newer_version_keep_nobody_from_a_token(signed_in):
    become_newer(signed_in.home / "app.db")

    ended = signed_in.run("token", "acme")

    assert (ended.code, len(ended.out.split())) == (0, 1)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("schema", "lines"), [("doorkey_vault", NEEDS_VAULT[:3]), ("doorkey_app", NEEDS_CHATS[:2])], ids=["vault", "app"]
)
def test_schemas_of_a_newer_version_are_left_alone(home, practice, postgres_url, schema, lines):
    program = Program(home / "desk", {"DOORKEY_DATABASE_URL": postgres_url})
    program.configure(config(practice.url))
    sign_in(program, "acme")
    assert program.run("audit").code == 0

    with psycopg.connect(postgres_url, autocommit=True) as newer:
        newer.execute(f"INSERT INTO {schema}.migrations VALUES (99, now())")
        before = content(newer, schema)
        ended = [program.run(*line.split(), stdin="sk-new-key\n") for line in lines]
        after = content(newer, schema)

    assert [each for each in ended if not refused(each)] == []
    assert after == before


def content(connection, schema):
    """Every row of a schema."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall()
    return {name: sorted(connection.execute(f"SELECT t::text FROM {schema}.{name} t").fetchall()) for (name,) in tables}
