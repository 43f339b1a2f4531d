"""A sealed value opens only where it was sealed: not in another row, column or table, nor in a newer generation."""

from contextlib import closing
from dataclasses import replace
from itertools import permutations

import pytest

from doorkey.adapters.cipher.rotation import TABLES
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store import postgres_schema, schema
from doorkey.adapters.store.machine import ThisMachine
from doorkey.adapters.store.over import vault_over
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_database import PostgresDatabase
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.domain.attempt import Callback
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.testing.values import a_device, an_attempt, an_identity, held, some_tokens

TOKENS = ("accounts", "tokens", "acc_1")
IDS = {"accounts": ("acc_1", "acc_2"), "attempts": ("sgn_1", "sgn_2")}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    if request.param == "sqlite":
        with closing(SqliteDatabase(tmp_path / "vault.db", schema.VAULT)) as made:
            yield made
    else:
        address = Address(Secret(request.getfixturevalue("postgres_url")))
        with closing(PostgresDatabase(address, postgres_schema.VAULT)) as made:
            yield made


@pytest.fixture
def vault(database, tmp_path):
    """Two accounts and two sign-ins, with something in every column that is sealed."""
    vault = vault_over(database, [KeyFile(tmp_path)], ThisMachine())
    for number, account in enumerate(IDS["accounts"]):
        kept = held(some_tokens(account), id=account, identity=an_identity(subject=str(number)))
        vault.accounts.save(kept, read=None)
    for attempt in IDS["attempts"]:
        callback = Callback(Secret(f"code-{attempt}"), "client-1")
        vault.attempts.save(an_attempt(id=attempt, device=a_device(), callback=callback), was=None)
    return vault


def cells():
    return [(each.table, column, row) for each in TABLES for column in each.columns for row in IDS[each.table]]


def read(database, cell):
    table, column, row = cell
    return database.rows(f"SELECT {column} FROM {table} WHERE id = ?", (row,))[0][column]


def write(database, cell, sealed):
    table, column, row = cell
    database.rows(f"UPDATE {table} SET {column} = ? WHERE id = ?", (sealed, row))


def load(vault, table, row):
    return (vault.accounts if table == "accounts" else vault.attempts).load(row)


def test_no_sealed_value_opens_in_the_place_of_another(database, vault):
    values = {cell: read(database, cell) for cell in cells()}
    assert all(values.values()), "something is not sealed here"

    opened = []
    for (there, sealed), (here, own) in permutations(values.items(), 2):
        write(database, here, sealed)
        try:
            opened.append((there, here, load(vault, here[0], here[2])))
        except KeyUnreadable:
            write(database, here, own)

    assert opened == []
    assert len(values) > 10


def test_tokens_of_an_older_generation_do_not_open_after_they_were_renewed(database, vault):
    mine = vault.accounts.load("acc_1")
    old = read(database, TOKENS)
    newer = replace(mine, account=replace(mine.account, generation=1), tokens=some_tokens("newer"))
    assert vault.accounts.save(newer, read=0)

    write(database, TOKENS, old)

    with pytest.raises(KeyUnreadable):
        vault.accounts.load("acc_1")


def test_a_row_that_takes_the_name_of_another_does_not_open(database, vault):
    vault.accounts.forget("acc_2")

    database.rows("UPDATE accounts SET id = 'acc_2' WHERE id = 'acc_1'")

    with pytest.raises(KeyUnreadable):
        vault.accounts.load("acc_2")


@pytest.mark.usefixtures("vault")
def test_nothing_sealed_opens_in_a_vault_of_the_same_key(database, tmp_path):
    with closing(SqliteDatabase(tmp_path / "other" / "vault.db", schema.VAULT)) as other:
        foreign = vault_over(other, [KeyFile(tmp_path)], ThisMachine())
        foreign.accounts.save(held(id="acc_1"), read=None)

        write(other, TOKENS, read(database, TOKENS))

        with pytest.raises(KeyUnreadable):
            foreign.accounts.load("acc_1")
