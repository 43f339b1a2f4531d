"""A shared database: made once, recognised, counted, found again after it was lost, and silent about its password."""

import multiprocessing
import os
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from doorkey.adapters.store.machine import ThisMachine
from doorkey.adapters.store.postgres import SharedTime
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_database import PostgresDatabase
from doorkey.adapters.store.postgres_schema import APP, VAULT, PostgresSchema
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, StorageFull, StoreBusy, UnknownName, VaultDamaged

SET = "INSERT INTO settings (name, value) VALUES (?, ?)"
SHORT = timedelta(milliseconds=200)
TOGETHER = multiprocessing.get_context("spawn")


@pytest.fixture
def open_it(postgres_url):
    """Open the database as another program would."""
    opened = []

    def open_schema(schema=VAULT, **settings):
        opened.append(PostgresDatabase(Address(Secret(postgres_url)), schema, **settings))
        return opened[-1]

    yield open_schema
    for database in opened:
        database.close()


@pytest.fixture
def stranger(postgres_url):
    """Another program that is connected to the same database."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def names(database):
    return [row["name"] for row in database.rows("SELECT name FROM settings ORDER BY name")]


def end_connections(stranger):
    stranger.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'doorkey' AND "
        "datname = current_database()"
    )


class TestDatabase:
    pytestmark = pytest.mark.postgres

    def test_what_was_written_is_there_for_other_programs(self, open_it):
        open_it().rows(SET, ("a", "1"))

        assert names(open_it()) == ["a"]

    def test_a_commit_of_the_vault_reaches_the_disk_whatever_the_server_is_used_to(self, open_it, stranger):
        (name,) = stranger.execute("SELECT current_database()").fetchone()
        stranger.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")

        found = [open_it(schema).rows("SHOW synchronous_commit") for schema in (VAULT, APP)]

        assert [rows[0]["synchronous_commit"] for rows in found] == ["on", "off"]

    def test_a_transaction_that_fails_leaves_nothing(self, open_it):
        database = open_it()

        def fail():
            with database.transaction("settings"):
                database.rows(SET, ("a", "1"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert names(database) == []

    def test_fifty_threads_of_two_programs_lose_nothing(self, open_it):
        one, other = open_it(), open_it()

        def count(number):
            database = (one, other)[number % 2]
            with database.transaction("settings"):
                (row,) = database.rows("SELECT value FROM settings WHERE name = 'count'")
                database.rows("UPDATE settings SET value = ?", (str(int(row["value"]) + 1),))

        one.rows(SET, ("count", "0"))

        with ThreadPoolExecutor(50) as pool:
            list(pool.map(count, range(100)))

        assert other.rows("SELECT value FROM settings")[0]["value"] == "100"

    def test_the_version_moves_when_a_change_is_committed_and_not_before(self, open_it):
        database, other = open_it(), open_it()
        before = database.version()

        with other.transaction("settings"):
            other.rows(SET, ("a", "1"))
            during = database.version()

        assert during == before
        assert database.version() != before

    def test_a_text_with_a_nul_is_kept_without_it(self, open_it):
        database = open_it()

        database.rows(SET, ("a", "one\0two"))

        assert database.rows("SELECT value FROM settings")[0]["value"] == "one\N{REPLACEMENT CHARACTER}two"

    def test_a_percent_sign_is_only_that(self, open_it):
        database = open_it()
        database.rows(SET, ("ab", "1"))

        assert database.rows("SELECT name FROM settings WHERE name LIKE 'a%' AND value = ?", ("1",))

    def test_a_child_of_a_fork_connects_for_itself(self, open_it):
        database = open_it()
        database.rows(SET, ("parent", "1"))

        child = os.fork()
        if child == 0:
            try:
                database.rows(SET, ("child", "1"))
            finally:
                os._exit(0)
        os.waitpid(child, 0)

        assert names(database) == ["child", "parent"]

    def test_connections_that_the_server_ended_are_replaced(self, open_it, stranger):
        database = open_it()
        database.rows(SET, ("a", "1"))

        end_connections(stranger)

        assert names(database) == ["a"]

    def test_a_connection_that_is_lost_in_a_transaction_is_one_busy_call(self, open_it, stranger):
        database = open_it()

        def lose():
            with database.transaction("settings"):
                database.rows(SET, ("a", "1"))
                end_connections(stranger)
                database.rows(SET, ("b", "1"))

        with pytest.raises(StoreBusy):
            lose()

        assert names(database) == []

    def test_a_table_that_somebody_holds_is_busy(self, open_it, stranger):
        database = open_it(patience=SHORT)

        with stranger.transaction():
            stranger.execute("LOCK TABLE doorkey_vault.settings IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreBusy):
                database.rows(SET, ("a", "1"))

        assert names(database) == []

    def test_a_user_who_may_not_write_is_told_so(self, open_it):
        database = open_it()
        database.rows("SET default_transaction_read_only = on")

        with pytest.raises(StorageFull):
            database.rows(SET, ("a", "1"))

    def test_what_belongs_to_nothing_is_an_unknown_name(self, open_it):
        with pytest.raises(UnknownName):
            open_it(APP).rows("INSERT INTO allowances (conversation, scope) VALUES ('cht_nothing', 'scope')")

    def test_a_table_that_somebody_dropped_is_damage(self, open_it, stranger):
        database = open_it()
        stranger.execute("DROP TABLE doorkey_vault.settings")

        with pytest.raises(VaultDamaged):
            names(database)

    def test_a_mistake_of_our_own_is_not_dressed_up(self, open_it):
        with pytest.raises(psycopg.errors.SyntaxError):
            open_it().rows("SELEKT 1")

    def test_the_time_is_the_databases(self, open_it, stranger):
        time = SharedTime(open_it(), ThisMachine())
        (before,) = stranger.execute("SELECT clock_timestamp()").fetchone()

        now, later = time.now(), time.uptime()

        (after,) = stranger.execute("SELECT clock_timestamp()").fetchone()
        assert before <= now <= after
        assert before.timestamp() <= later <= after.timestamp()


class TestSchema:
    pytestmark = pytest.mark.postgres

    def test_first_starts_at_once_make_one_schema(self, postgres_url):
        start = TOGETHER.Barrier(4)
        runners = [TOGETHER.Process(target=open_together, args=(postgres_url, start)) for _ in range(4)]

        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join(60)

        assert [runner.exitcode for runner in runners] == [0] * 4

    def test_a_schema_of_a_newer_doorkey_is_left_alone(self, open_it, stranger):
        open_it()
        stranger.execute("INSERT INTO doorkey_vault.migrations VALUES (99, now())")

        with pytest.raises(VaultDamaged, match="newer Doorkey"):
            open_it()

    def test_a_schema_of_another_program_is_left_alone(self, open_it, stranger):
        stranger.execute("CREATE SCHEMA doorkey_vault CREATE TABLE theirs (name text)")

        with pytest.raises(VaultDamaged):
            open_it()

        assert stranger.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'doorkey_vault'").fetchall() == [
            ("theirs",)
        ]

    def test_new_migrations_are_added_to_what_is_there(self, open_it, tmp_path):
        schema = PostgresSchema(name="doorkey_test", mark=1, migrations=tmp_path, durable=True)
        (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (name text);")
        open_it(schema).rows("INSERT INTO first VALUES ('kept')")
        (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (name text); -- 100 %")

        database = open_it(schema)

        assert database.rows("SELECT name FROM first") == [{"name": "kept"}]
        assert database.rows("SELECT name FROM second") == []

    def test_a_migration_that_fails_leaves_the_schema_as_it_was(self, open_it, stranger, tmp_path):
        schema = PostgresSchema(name="doorkey_test", mark=1, migrations=tmp_path, durable=True)
        (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (name text);")
        open_it(schema)
        (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (name text); INSERT INTO nowhere VALUES (1);")

        with pytest.raises(VaultDamaged):
            open_it(schema)

        assert stranger.execute("SELECT max(number) FROM doorkey_test.migrations").fetchone() == (1,)
        assert stranger.execute("SELECT to_regclass('doorkey_test.second')").fetchone() == (None,)


class TestAddress:
    @pytest.mark.parametrize("url", ["", "mysql://ada:canary-secret@db/x", "postgresql://ada:canary-secret@[db/x"])
    def test_what_is_no_address_is_refused_without_being_repeated(self, url):
        with pytest.raises(Misconfigured) as refused:
            Address(Secret(url))

        assert "canary" not in "".join(traceback.format_exception(refused.value))

    def test_a_database_that_is_not_there_is_busy_and_the_password_stays_in(self):
        address = Address(Secret("postgresql://ada:canary-secret@127.0.0.1:9/vault"))

        with pytest.raises(StoreBusy) as unreachable:
            PostgresDatabase(address, VAULT)

        assert "canary" not in "".join(traceback.format_exception(unreachable.value)) + repr(address)

    @pytest.mark.parametrize(
        ("url", "wanted"),
        [
            ("postgresql://db.example/vault", "require"),
            ("postgresql://192.0.2.7/vault", "require"),
            ("postgresql://127.0.0.1,db.example/vault", "require"),
            ("postgresql://db.example/vault?sslmode=verify-full", "verify-full"),
            ("postgresql://127.0.0.1/vault", None),
            ("postgresql://localhost/vault", None),
            ("postgresql:///vault?host=/run/postgresql", None),
        ],
    )
    def test_beyond_this_machine_the_connection_is_encrypted(self, url, wanted):
        assert Address(Secret(url)).parameters(SHORT).get("sslmode") == wanted

    @pytest.mark.postgres
    def test_a_server_on_loopback_is_on_this_machine(self, open_it):
        assert open_it().is_local


def test_both_dialects_have_the_same_migrations():
    folder = Path(VAULT.migrations).parent.parent
    kinds = ("vault", "app")

    found = [[path.name for path in sorted((folder / kind).glob("*.sql"))] for kind in kinds]

    assert found == [[path.name for path in sorted((folder / "postgres" / kind).glob("*.sql"))] for kind in kinds]


@pytest.mark.parametrize("schema", [VAULT, APP], ids=["vault", "app"])
def test_a_migration_is_found_by_its_number_which_nothing_may_come_before_later(schema):
    numbers = [int(path.name[:4]) for path in schema.scripts()]

    assert numbers == list(range(1, len(numbers) + 1))


def open_together(url, start):
    start.wait(60)
    for schema in (VAULT, APP):
        with closing(PostgresDatabase(Address(Secret(url)), schema)) as database:
            database.rows("SELECT 1 FROM settings")
