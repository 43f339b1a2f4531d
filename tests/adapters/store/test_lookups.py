"""Look-ups among very many accounts: by index, also in a vault that an older Doorkey made."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier

import pytest

from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store import postgres, postgres_schema, schema, sqlite
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.adapters.store.columns import as_json, stamp
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_database import PostgresDatabase
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.domain.account import Held, Proof
from doorkey.domain.provider import Api, Dialect
from doorkey.domain.secret import Secret
from doorkey.flows import admission
from doorkey.flows.attempts import Plan
from doorkey.flows.steps import Save
from doorkey.testing.script import METHOD, Caller, World
from doorkey.testing.values import HOUR, NOON, an_account, an_identity, held, some_tokens

OLDER = 2
"""How many scripts there were before the look-ups."""

INSERT = """
INSERT INTO accounts (id, provider, method, name, identity, origins, payer, standing, renews, created_at, expires_at,
    generation, tokens)
VALUES (:id, :provider, :method, :name, :identity, :origins, :payer, :standing, :renews, :created_at, :expires_at,
    :generation, :tokens)
"""
TWIN = """
INSERT INTO accounts (id, provider, method, identity, origins, payer, standing, renews, created_at, expires_at,
    generation, tokens, twin)
SELECT 'acc_twin', provider, method, identity, origins, payer, standing, renews, created_at, expires_at,
    generation, tokens, 1
FROM accounts
"""
PLAN = Plan(
    provider="acme",
    method=METHOD,
    api=Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT),
    redirect="http://127.0.0.1:4000/callback",
    host_id="urn:uuid:host",
)
ASKED = {
    "of": lambda store: store.of("acme"),
    "first": lambda store: store.first("acme"),
    "one": lambda store: store.one("acc_1"),
    "named": lambda store: store.named("acme/ada"),
    "due": lambda store: store.due(NOON),
    "find an identity": lambda store: store.find(an_account()),
    "find a key by its name": lambda store: store.find(an_account(name="work", identity=an_identity(subject=None))),
    "find the unnamed key": lambda store: store.find(an_account(identity=an_identity(subject=None))),
}


class Overheard:
    """A database whose statements are noted."""

    def __init__(self, inner):
        self._inner = inner
        self.statements = []

    def rows(self, sql, values=()):
        self.statements.append((sql, values))
        return self._inner.rows(sql, values)


def in_sqlite(tmp_path, scripts=None):
    described = replace(schema.VAULT, migrations=scripts) if scripts else schema.VAULT
    return SqliteDatabase(tmp_path / "vault.db", described)


def in_postgres(url, scripts=None):
    described = replace(postgres_schema.VAULT, migrations=scripts) if scripts else postgres_schema.VAULT
    return PostgresDatabase(Address(Secret(url)), described)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def opened(request, tmp_path):
    """Open the database as it is now, or as it was with the older scripts alone."""
    place = tmp_path if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    dialect = schema if request.param == "sqlite" else postgres_schema
    before = tmp_path / "before"
    before.mkdir()
    for script in dialect.VAULT.scripts()[:OLDER]:
        shutil.copy(script, before)
    make = in_sqlite if request.param == "sqlite" else in_postgres
    return lambda *, older=False: closing(make(place, before if older else None))


def older_row(account):
    plain = {name: getattr(account, name) for name in ("id", "provider", "method", "name", "renews", "generation")}
    parts = {name: as_json(getattr(account, name)) for name in ("identity", "origins", "standing")}
    times = {name: stamp(getattr(account, name)) for name in ("created_at", "expires_at")}
    return plain | parts | times | {"payer": str(account.payer), "tokens": b"sealed"}


def roll(database):
    return SqlAccounts(database, VaultCipher(database, []))


def test_an_older_vault_is_opened_and_everybody_in_it_is_found(opened):
    named = an_account(name="work", expires_at=NOON)
    key = an_account(created_at=NOON + HOUR, identity=an_identity(subject=None, email="key@example.com"))
    with opened(older=True) as database:
        for each in (named, key):
            database.rows(INSERT, older_row(each))

    with opened() as database:
        accounts = roll(database)

        assert accounts.all() == [named, key]
        assert accounts.find(replace(named, id="acc_again")) == named
        assert accounts.find(an_account(identity=an_identity(subject=None))) == key
        assert accounts.named("key@example.com") == [key]
        assert accounts.first("acme") == named
        assert accounts.due(NOON + HOUR) == [named, key]


def test_two_rows_of_one_identity_in_an_older_vault_both_stay_and_the_older_is_found(opened):
    older = an_account(created_at=NOON)
    younger = an_account(created_at=NOON + HOUR, identity=older.identity)
    with opened(older=True) as database:
        for each in (younger, older):
            database.rows(INSERT, older_row(each))

    with opened() as database:
        accounts = roll(database)

        assert accounts.all() == [older, younger]
        assert accounts.find(an_account(identity=older.identity)) == older
        accounts.forget(older.id)
        assert accounts.find(an_account(identity=older.identity)) == younger


def test_of_two_rows_of_one_identity_each_is_renewed_by_itself(tmp_path):
    with closing(sqlite.open_vault(tmp_path, [KeyFile(tmp_path / "config")])) as vault:
        mine = held()
        vault.accounts.save(mine, read=None)
        with closing(in_sqlite(tmp_path)) as behind:
            behind.rows(TWIN)
        renewed = [replace(mine.account, id=name, generation=1) for name in (mine.account.id, "acc_twin")]

        saved = [vault.accounts.save(Held(each, some_tokens("two")), read=0) for each in renewed]

        assert saved == [True, True]
        assert vault.accounts.load("acc_twin").tokens == some_tokens("two")


def test_an_older_vault_with_what_a_database_cannot_hold_is_opened(opened):
    odd = an_account(identity=an_identity(email="\0", name="\ud800", subject="half a pair \ud800"))
    mine = an_account(created_at=NOON + HOUR)
    with opened(older=True) as database:
        for each in (odd, mine):
            database.rows(INSERT, older_row(each))

    with opened() as database:
        assert roll(database).all() == [odd, mine]
        assert roll(database).one(odd.id) == odd


def test_an_older_program_that_still_runs_leaves_nobody_unfound(opened):
    mine = an_account()
    with opened() as database:
        database.rows(INSERT, older_row(mine))

        assert roll(database).find(an_account(identity=mine.identity)) == mine


@pytest.mark.parametrize("question", ASKED)
def test_no_look_up_reads_every_account(tmp_path, question):
    with closing(in_sqlite(tmp_path)) as database:
        overheard = Overheard(database)
        ASKED[question](roll(overheard))

        plans = [database.rows(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in overheard.statements]

    details = [row["detail"] for plan in plans for row in plan]
    assert details
    assert not any(re.match(r"SCAN\b", detail) for detail in details), details


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def two_programs(request, tmp_path):
    """Open one vault as two programs do."""
    key = [KeyFile(tmp_path / "config")]
    if request.param == "sqlite":
        vaults = [sqlite.open_vault(tmp_path / "data", key) for _ in range(2)]
    else:
        url = Secret(request.getfixturevalue("postgres_url"))
        vaults = [postgres.open_vault(url, key)[0] for _ in range(2)]
    yield vaults
    for vault in vaults:
        vault.close()


@pytest.mark.parametrize("first", [0, 1])
def test_two_programs_that_sign_in_the_same_person_at_once_make_one_row(two_programs, first):
    who, proof = an_identity(), Proof(NOON, "sign-in")
    callers = [
        Caller(World(vault=vault), admission.keep(PLAN, who, some_tokens(word), proof))
        for vault, word in zip(two_programs, ("one", "two"), strict=True)
    ]
    for caller in callers:
        caller.reach(Save)

    won, lost = callers[first].finish(), callers[1 - first].finish()

    accounts = two_programs[first].accounts
    assert accounts.all() == [lost]
    assert (lost.id, lost.generation) == (won.id, 1)
    assert accounts.load(lost.id).tokens == some_tokens(("two", "one")[first])


def test_of_many_that_keep_one_identity_at_once_one_comes_first(two_programs):
    who, together = an_identity(), Barrier(8)

    def keep(number):
        together.wait()
        return two_programs[number % 2].accounts.save(held(identity=who), read=None)

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(keep, range(8)))

    assert saved.count(True) == 1
    assert len(two_programs[0].accounts.all()) == 1
