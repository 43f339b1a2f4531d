"""A sealed value opens only where it was sealed: not in another row, column or table, nor in a newer generation.

Tokens open for their own provider, method and origins only.
"""

from contextlib import closing
from dataclasses import replace
from itertools import permutations

import pytest

from doorkey.adapters.cipher.rotation import TABLES, Rotation
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store import postgres_schema, schema
from doorkey.adapters.store.accounts import pack_tokens
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
LABELS = {
    "provider": "another",
    "method": "another",
    "origins": '{"api": "https://elsewhere.example:443", "token": "https://issuer.example:443", "revoke": null}',
}
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


@pytest.fixture
def cipher(database, tmp_path):
    return VaultCipher(database, [KeyFile(tmp_path)])


@pytest.fixture
def of_an_older_version(database, vault, cipher):
    """Seal an account's tokens as they were before they were bound to where they may be sent."""
    tokens = vault.accounts.load("acc_1").tokens
    write(database, TOKENS, cipher.seal(pack_tokens(tokens), "accounts|acc_1|tokens|0"))
    return tokens


def relabel(database, column):
    database.rows(f"UPDATE accounts SET {column} = ? WHERE id = 'acc_1'", (LABELS[column],))


def rotate(database, cipher):
    header = cipher.header()
    rotation = Rotation(database, header.lock, cipher.master(header))
    rotation.begin()
    return rotation.go_on()


@pytest.mark.parametrize("column", LABELS)
def test_tokens_do_not_open_under_another_label_that_would_send_them_elsewhere(database, vault, column):
    relabel(database, column)

    with pytest.raises(KeyUnreadable):
        vault.accounts.load("acc_1")


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize("column", LABELS)
def test_a_rotation_seals_nothing_for_another_label(database, cipher, column):
    sealed = read(database, TOKENS)
    relabel(database, column)

    with pytest.raises(KeyUnreadable):
        rotate(database, cipher)

    assert read(database, TOKENS) == sealed


def test_what_an_older_version_sealed_opens(vault, of_an_older_version):
    assert vault.accounts.load("acc_1").tokens == of_an_older_version


@pytest.mark.parametrize("column", LABELS)
def test_what_an_older_version_sealed_is_bound_at_the_next_save(database, vault, of_an_older_version, column):
    mine = vault.accounts.load("acc_1")
    assert vault.accounts.save(replace(mine, account=replace(mine.account, generation=1)), read=0)
    assert vault.accounts.load("acc_1").tokens == of_an_older_version

    relabel(database, column)

    with pytest.raises(KeyUnreadable):
        vault.accounts.load("acc_1")


@pytest.mark.parametrize("column", LABELS)
def test_what_an_older_version_sealed_is_bound_by_a_rotation(database, vault, cipher, of_an_older_version, column):
    assert rotate(database, cipher) == 0
    assert vault.accounts.load("acc_1").tokens == of_an_older_version

    relabel(database, column)

    with pytest.raises(KeyUnreadable):
        vault.accounts.load("acc_1")
