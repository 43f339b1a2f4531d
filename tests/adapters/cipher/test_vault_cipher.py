"""The vault's key: found when needed, never replaced, and what it sealed stays in its place."""

from base64 import b64encode
from dataclasses import replace

import pytest

from doorkey.adapters.key_sources.environment import EnvironmentKey
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.schema import VAULT
from doorkey.adapters.store.sqlite import open_vault
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.errors import KeyUnreadable
from doorkey.testing.values import an_attempt, held, some_tokens

ONE_KEY = b64encode(bytes(32)).decode()
OTHER_KEY = b64encode(bytes([1]) * 32).decode()


@pytest.fixture
def key_file(tmp_path):
    return KeyFile(tmp_path / "config")


@pytest.fixture
def opened(tmp_path, key_file):
    """Open the vault again and again, each time with another environment."""
    vaults = []

    def open_again(**environ):
        vaults.append(open_vault(tmp_path / "data", [EnvironmentKey(environ), key_file]))
        return vaults[-1]

    yield open_again
    for vault in vaults:
        vault.close()


@pytest.fixture
def behind(tmp_path):
    """Look behind the curtain."""

    def run(sql, *values):
        database = SqliteDatabase(tmp_path / "data" / "vault.db", VAULT)
        try:
            return database.rows(sql, values)
        finally:
            database.close()

    return run


def test_an_empty_vault_makes_no_key(opened, key_file):
    vault = opened()

    vault.accounts.all()
    vault.cipher.check()

    assert not key_file.path.exists()


def test_the_first_secret_makes_the_key_and_says_where(opened, key_file, behind):
    opened().accounts.save(held(), read=None)

    assert key_file.path.exists()
    assert behind("SELECT source FROM header")[0]["source"] == "file"


def test_a_key_in_the_environment_leaves_no_file(opened, key_file, behind):
    mine = held()
    opened(DOORKEY_KEY=ONE_KEY).accounts.save(mine, read=None)

    assert not key_file.path.exists()
    assert behind("SELECT source FROM header")[0]["source"] == "environment"
    assert opened(DOORKEY_KEY=ONE_KEY).accounts.load(mine.account.id) == mine


def test_an_existing_key_file_is_used_for_a_new_vault(opened, key_file):
    made = key_file.create("a vault").secret

    opened().accounts.save(held(), read=None)

    assert key_file.read() == made


def test_a_wrong_key_opens_and_saves_nothing_but_lists(opened):
    mine = held()
    opened(DOORKEY_KEY=ONE_KEY).accounts.save(mine, read=None)
    vault = opened(DOORKEY_KEY=OTHER_KEY)

    with pytest.raises(KeyUnreadable, match="not the one") as refused:
        vault.accounts.load(mine.account.id)
    with pytest.raises(KeyUnreadable):
        vault.accounts.save(held(), read=None)
    with pytest.raises(KeyUnreadable):
        vault.attempts.save(an_attempt(), was=None)
    with pytest.raises(KeyUnreadable):
        vault.cipher.check()

    assert vault.accounts.all() == [mine.account]
    assert "DOORKEY_KEY" in refused.value.hint


def test_a_wrong_key_in_the_environment_is_not_passed_over_for_the_file(opened):
    mine = held()
    opened().accounts.save(mine, read=None)

    with pytest.raises(KeyUnreadable):
        opened(DOORKEY_KEY=OTHER_KEY).accounts.load(mine.account.id)


def test_no_new_key_is_made_where_the_file_is_missing(opened, key_file):
    mine = held()
    opened().accounts.save(mine, read=None)
    key_file.path.unlink()
    vault = opened()

    with pytest.raises(KeyUnreadable, match="missing") as refused:
        vault.accounts.load(mine.account.id)
    with pytest.raises(KeyUnreadable):
        vault.accounts.save(held(), read=None)

    assert not key_file.path.exists()
    assert vault.accounts.all() == [mine.account]
    assert "doorkey.key" in refused.value.hint


def test_a_key_that_is_put_back_works_at_once(opened, key_file):
    mine = held()
    opened().accounts.save(mine, read=None)
    away = key_file.path.with_name("away")
    key_file.path.rename(away)
    vault = opened()
    with pytest.raises(KeyUnreadable):
        vault.accounts.load(mine.account.id)

    away.rename(key_file.path)

    assert vault.accounts.load(mine.account.id) == mine


def test_no_header_is_made_beside_rows_that_lost_theirs(opened, key_file, behind):
    mine = held()
    opened().accounts.save(mine, read=None)
    behind("DELETE FROM header")
    vault = opened()

    with pytest.raises(KeyUnreadable):
        vault.accounts.load(mine.account.id)
    with pytest.raises(KeyUnreadable):
        vault.accounts.save(held(), read=None)

    assert not behind("SELECT * FROM header")


def test_a_vault_opened_before_the_first_secret_uses_the_same_key(opened):
    early, late = opened(), opened()
    mine, yours = held(), held()

    early.accounts.save(mine, read=None)
    late.accounts.save(yours, read=None)

    assert early.accounts.load(yours.account.id) == yours
    assert late.accounts.load(mine.account.id) == mine


def test_tokens_of_another_account_do_not_open(opened, behind):
    mine, yours = held(), held(some_tokens("yours"))
    vault = opened()
    for each in (mine, yours):
        vault.accounts.save(each, read=None)

    behind(
        "UPDATE accounts SET tokens = (SELECT tokens FROM accounts WHERE id = ?) WHERE id = ?",
        *(yours.account.id, mine.account.id),
    )

    with pytest.raises(KeyUnreadable):
        vault.accounts.load(mine.account.id)


def test_tokens_of_an_older_generation_do_not_open(opened, behind):
    mine = held()
    vault = opened()
    vault.accounts.save(mine, read=None)
    (old,) = behind("SELECT tokens FROM accounts")
    vault.accounts.save(replace(mine, account=replace(mine.account, generation=1)), read=0)

    behind("UPDATE accounts SET tokens = ?", old["tokens"])

    with pytest.raises(KeyUnreadable):
        vault.accounts.load(mine.account.id)


def test_the_columns_of_an_attempt_do_not_open_in_each_others_place(opened, behind):
    attempt = an_attempt()
    vault = opened()
    vault.attempts.save(attempt, was=None)

    behind("UPDATE attempts SET state = nonce")

    with pytest.raises(KeyUnreadable):
        vault.attempts.load(attempt.id)


def test_a_data_key_of_another_vault_does_not_open(opened, behind):
    mine = held()
    vault = opened(DOORKEY_KEY=ONE_KEY)
    vault.accounts.save(mine, read=None)

    behind("UPDATE header SET vault = ?", "another")

    with pytest.raises(KeyUnreadable):
        opened(DOORKEY_KEY=ONE_KEY).accounts.load(mine.account.id)


def test_nothing_secret_is_readable_on_the_disk(opened, tmp_path, key_file):
    vault = opened()
    vault.accounts.save(held(some_tokens("canary")), read=None)
    vault.attempts.save(an_attempt(), was=None)

    files = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}

    master = key_file.read()
    assert {"vault.db", "vault.db-wal", "vault.db-shm"} <= set(files)
    for secret in (b"access-canary", b"refresh-canary", b"state-value", b"verifier-value", b"nonce-value", master):
        assert not any(secret in content for content in files.values())
    assert any(b"ada@example.com" in content for content in files.values())
