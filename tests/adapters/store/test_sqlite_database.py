"""One file of ours: private, recognised, shared with other threads and processes, and honest about what fails."""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

from doorkey.adapters.store.schema import APP, VAULT, Schema
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.errors import StorageFull, StoreBusy, UnknownName, VaultDamaged

NO_PATIENCE = timedelta(0)
SET = "INSERT INTO settings (name, value) VALUES (?, ?)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "vault.db"


@pytest.fixture
def database(path):
    with closing(SqliteDatabase(path, VAULT, patience=NO_PATIENCE)) as database:
        yield database


@pytest.fixture
def stranger(database, path):
    """Another program that has our file open."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def names(database):
    return [row["name"] for row in database.rows("SELECT name FROM settings ORDER BY name")]


def test_only_its_owner_may_read_it(database, path):
    database.rows(SET, ("a", "1"))

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert modes == {"vault.db": 0o600, "vault.db-wal": 0o600, "vault.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_commit_of_the_vault_reaches_the_disk_and_one_of_the_app_may_wait(database, tmp_path):
    with closing(SqliteDatabase(tmp_path / "app.db", APP)) as app:
        found = [each.rows("PRAGMA synchronous")[0][0] for each in (database, app)]
        modes = [each.rows("PRAGMA journal_mode")[0][0] for each in (database, app)]

    assert found == [2, 1]
    assert modes == ["wal", "wal"]


def test_what_was_written_is_there_when_it_is_opened_again(path):
    with closing(SqliteDatabase(path, VAULT)) as database:
        database.rows(SET, ("a", "1"))

    with closing(SqliteDatabase(path, VAULT)) as again:
        assert names(again) == ["a"]


def test_a_transaction_that_fails_leaves_nothing(database):
    def fail():
        with database.transaction("settings"):
            database.rows(SET, ("a", "1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert names(database) == []


def test_fifty_threads_lose_nothing(database):
    def count(_):
        with database.transaction("settings"):
            (row,) = database.rows("SELECT value FROM settings WHERE name = 'count'")
            database.rows("UPDATE settings SET value = ?", (str(int(row["value"]) + 1),))

    database.rows(SET, ("count", "0"))

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(count, range(200)))

    assert database.rows("SELECT value FROM settings")[0]["value"] == "200"


def test_the_version_moves_with_a_change_by_another_connection(database, path):
    before = database.version()

    with closing(SqliteDatabase(path, VAULT)) as other:
        other.rows(SET, ("a", "1"))

    assert database.version() != before


def test_a_child_of_a_fork_opens_the_file_for_itself(database):
    database.rows(SET, ("parent", "1"))

    child = os.fork()
    if child == 0:
        try:
            database.rows(SET, ("child", "1"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert names(database) == ["child", "parent"]
    assert database.rows("PRAGMA integrity_check")[0][0] == "ok"


def test_a_locked_database_is_busy(database, stranger):
    stranger.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreBusy):
        database.rows(SET, ("a", "1"))
    with pytest.raises(StoreBusy), database.transaction("settings"):
        pass

    assert names(database) == []


def test_a_new_file_that_somebody_holds_is_busy(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreBusy):
            SqliteDatabase(path, VAULT, patience=NO_PATIENCE)


def test_a_database_that_was_busy_serves_again(database, stranger):
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        database.rows(SET, ("a", "1"))

    stranger.execute("ROLLBACK")
    database.rows(SET, ("a", "1"))

    assert names(database) == ["a"]


def test_a_full_disk_loses_nothing_that_was_stored(database):
    database.rows(SET, ("a", "1"))
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages}")

    def write_much():
        with database.transaction("settings"):
            database.rows(SET, ("b", "1"))
            database.rows(SET, ("c", "x" * 100_000))

    with pytest.raises(StorageFull):
        write_much()

    assert names(database) == ["a"]


def test_a_database_that_may_only_be_read_says_so_without_its_path(database):
    database.rows("PRAGMA query_only = ON")

    with pytest.raises(StorageFull) as refused:
        database.rows(SET, ("a", "1"))

    assert "/" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_no_room(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageFull) as refused:
        SqliteDatabase(tmp_path / "file" / "data" / "vault.db", VAULT)

    assert "/" not in str(refused.value)


def test_what_belongs_to_nothing_is_an_unknown_name(tmp_path):
    with closing(SqliteDatabase(tmp_path / "app.db", APP)) as app, pytest.raises(UnknownName):
        app.rows("INSERT INTO allowances (conversation, scope) VALUES ('cht_nothing', 'scope')")


def test_a_mistake_of_our_own_is_not_dressed_up(database):
    with pytest.raises(sqlite3.OperationalError):
        database.rows("SELECT * FROM nowhere")


@pytest.mark.parametrize("content", [b"hello", b"no database at all\n" * 100])
def test_a_file_that_is_no_database_is_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(VaultDamaged):
        SqliteDatabase(path, VAULT)

    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_page_is_named_as_damage(path):
    with closing(SqliteDatabase(path, VAULT)) as database:
        database.rows(SET, ("a", "1"))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with closing(SqliteDatabase(path, VAULT)) as damaged, pytest.raises(VaultDamaged):
        damaged.rows("SELECT * FROM settings")


def test_the_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (name TEXT)")
    before = path.read_bytes()

    with pytest.raises(VaultDamaged):
        SqliteDatabase(path, VAULT)

    assert path.read_bytes() == before


def test_one_of_our_files_is_not_taken_for_the_other(path):
    SqliteDatabase(path, APP).close()

    with pytest.raises(VaultDamaged):
        SqliteDatabase(path, VAULT)


def test_a_file_of_a_newer_doorkey_is_left_alone(path):
    SqliteDatabase(path, VAULT).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(VaultDamaged, match="newer Doorkey"):
        SqliteDatabase(path, VAULT)

    assert path.read_bytes() == before


@pytest.fixture
def migrations(tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("-- Begin.\nCREATE TABLE first (name TEXT); -- One.\n")
    return folder


def test_new_migrations_are_added_to_what_is_there(path, migrations):
    schema = Schema(mark=1, migrations=migrations, durable=True)
    with closing(SqliteDatabase(path, schema)) as database:
        database.rows("INSERT INTO first VALUES ('kept')")
    (migrations / "0002_second.sql").write_text(
        "CREATE TABLE second (name TEXT);\n"
        "CREATE TRIGGER copied AFTER INSERT ON first BEGIN\n    INSERT INTO second VALUES (new.name);\nEND;\n"
    )

    with closing(SqliteDatabase(path, schema)) as database:
        database.rows("INSERT INTO first VALUES ('copied')")

        assert [row["name"] for row in database.rows("SELECT name FROM first")] == ["kept", "copied"]
        assert [row["name"] for row in database.rows("SELECT name FROM second")] == ["copied"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, migrations):
    schema = Schema(mark=1, migrations=migrations, durable=True)
    SqliteDatabase(path, schema).close()
    (migrations / "0002_second.sql").write_text("CREATE TABLE second (name TEXT);\nINSERT INTO nowhere VALUES (1);\n")

    with pytest.raises(sqlite3.OperationalError):
        SqliteDatabase(path, schema)

    with closing(sqlite3.connect(path)) as after:
        assert after.execute("PRAGMA user_version").fetchone() == (1,)
        assert after.execute("SELECT name FROM sqlite_master").fetchall() == [("first",)]


def test_what_was_deleted_or_replaced_is_no_longer_in_the_file(path):
    long, other = "canary" * 50, "replaced" * 2000
    with closing(SqliteDatabase(path, VAULT)) as database:
        database.rows(SET, ("a", long))
        database.rows(SET, ("b", other))
        database.rows("DELETE FROM settings WHERE name = 'a'")
        database.rows("UPDATE settings SET value = 'short' WHERE name = 'b'")

    assert [path.name for path in path.parent.iterdir()] == ["vault.db"]
    assert b"canary" not in path.read_bytes()
    assert b"replacedreplaced" not in path.read_bytes()
