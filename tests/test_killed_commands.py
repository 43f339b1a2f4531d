"""A command that is killed at any point leaves a home that opens whole, and the command can be given again."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest

from doorkey.adapters import bundle as sealing
from doorkey.adapters.cipher.rotation import BATCH
from doorkey.adapters.store.schema import VAULT
from doorkey.bootstrap import open_house
from doorkey.domain.bundle import Bundle, pack, unpack
from doorkey.domain.secret import Secret
from doorkey.service.moving import Fate
from doorkey.testing.values import NOON, an_attempt, an_identity, held, some_tokens
from tests import dying
from tests.adapters.key_sources.test_passphrase import Typist

pytestmark = pytest.mark.slow

PHRASE = "correct horse battery"
CHEAP = sealing.Cost(memory=8, passes=1, lanes=1)
KEPT = [
    held(some_tokens(f"canary-{number:03}"), id=f"acc_{number:03}", identity=an_identity(subject=str(number)))
    for number in range(BATCH + 1)
]
FEW = KEPT[:3]
ATTEMPT = an_attempt(id="sgn_1")


@dataclass(frozen=True)
class Left:
    """What a command left behind, killed or at its end."""

    home: Path
    code: int

    @property
    def out(self):
        return self.home.with_suffix(".out").read_text()

    @property
    def killed(self):
        return self.code == dying.KILLED

    def house(self, phrase=""):
        return open_house(environ={"DOORKEY_HOME": str(self.home)}, passphrases=Typist(phrase))


@pytest.fixture
def killed(tmp_path):
    """Give a command to copies of a home, each killed at one point more than the one before; the last comes through."""

    def kill(template, *arguments, stdin=""):
        (tmp_path / "left").mkdir()
        ended = subprocess.run(
            [sys.executable, "-P", dying.__file__, template, tmp_path / "left", json.dumps(arguments)],
            input=stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        left = [Left(Path(home), code) for home, code in map(json.loads, ended.stdout.splitlines())]
        assert left[-1].code == 0, left[-1].out
        return left

    return kill


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A home with more accounts than are sealed again at once, a sign-in under way, and a recovery code."""
    return a_home(tmp_path_factory.mktemp("filled") / "home", KEPT)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A home with a few accounts."""
    return a_home(tmp_path_factory.mktemp("small") / "home", FEW)


def a_home(home, kept):
    codes: list[Secret] = []
    with open_house(environ={"DOORKEY_HOME": str(home)}) as house:
        for each in kept:
            assert house.vault.accounts.save(each, read=None)
        assert house.vault.attempts.save(ATTEMPT, was=None)
        house.vault_keys.rotate(codes.append, lambda _: None)
        assert house.stores.conversations.all() == []
    home.with_suffix(".code").write_text(codes[-1].reveal())
    return home


def code_of(home):
    return Secret(home.with_suffix(".code").read_text())


def assert_whole(house, kept=KEPT):
    """Everything is there once, opens by what lies in its place, and is what it was."""
    accounts = house.vault.accounts
    assert house.vault_keys.facts().problem is None
    assert {account.id: accounts.load(account.id) for account in accounts.all()} == {
        each.account.id: each for each in kept
    }
    assert len(accounts.all()) == len(kept)
    assert house.vault.attempts.load(ATTEMPT.id) == ATTEMPT


def test_a_rotation_is_gone_on_with_and_a_code_that_was_shown_opens_the_vault(filled, killed):
    left = killed(filled, "key", "rotate")

    halves = 0
    for each in left:
        code = Secret(each.out.strip()) if each.out else code_of(filled)
        with each.house() as house:
            assert_whole(house)
            halves += house.vault_keys.facts().rotating
            (each.home / "doorkey.key").unlink()
        with each.house() as house:
            house.vault_keys.recover(code, "file")
            house.vault_keys.rotate(lambda _: None, lambda _: None)
            assert_whole(house)
            assert not house.vault_keys.facts().rotating
    assert halves > 3
    assert left[-1].out.strip() != code_of(filled).reveal()


@pytest.mark.parametrize("source", ["file", "passphrase"])
def test_a_key_that_is_moved_is_in_one_place_or_the_other(small, killed, source):
    left = killed(small, "key", "use", source, stdin=f"{PHRASE}\n")

    sources = []
    for each in left:
        with each.house(PHRASE) as house:
            sources.append(house.vault_keys.facts().source)
            assert_whole(house, FEW)
            house.vault_keys.recover(code_of(small), "file")
            house.vault_keys.use("file")
            assert_whole(house, FEW)
            assert house.vault_keys.facts().left_behind is None
    assert sources == sorted(sources)
    assert (sources[0], sources[-1]) == ("file", source)


def test_a_lost_key_can_be_recovered_again(small, killed, tmp_path):
    copytree(small, tmp_path / "lost")
    (tmp_path / "lost" / "doorkey.key").unlink()

    left = killed(tmp_path / "lost", "key", "recover", stdin=f"{code_of(small).reveal()}\n")

    for each in left:
        with each.house() as house:
            house.vault_keys.recover(code_of(small), "file")
            assert_whole(house, FEW)
    assert len(left) > 5


def test_an_export_is_whole_or_not_there(small, killed):
    left = killed(small, "export", "HOME/out.doorkey", stdin=f"{PHRASE}\n")

    wholes = []
    for each in left:
        file = each.home / "out.doorkey"
        if file.exists():
            # What is cut short is noticed here already; opening each would take long.
            wholes.append(sealing.read(file.read_bytes()))
        assert not any(b"canary" in path.read_bytes() for path in each.home.iterdir())
        with each.house() as house:
            assert_whole(house, FEW)
    assert 0 < len(wholes) < len(left)
    assert unpack(sealing.unseal(wholes[0], Secret(PHRASE))).accounts == tuple(FEW)


def test_a_restore_takes_in_an_account_whole_or_not_at_all_and_can_be_repeated(small, killed, tmp_path):
    coming = KEPT[3:6]
    yes = {"acme:oauth": "2030-01-01T12:00:00+00:00"}
    bundle = Bundle(made_at=NOON, accounts=tuple(coming), defaults={"acme": coming[0].account.id}, consents=yes)
    (tmp_path / "file").write_bytes(sealing.seal(pack(bundle), Secret(PHRASE), CHEAP))

    left = killed(small, "restore", str(tmp_path / "file"), "--yes", stdin=f"{PHRASE}\n")

    found = []
    for each in left:
        with each.house() as house:
            moving = house.services.moving
            here = [account.id for account in house.vault.accounts.all()]
            assert_whole(house, KEPT[: len(here)])
            assert house.services.resolver.default("acme").id == "acc_000"
            missing = [move for move in moving.plan(bundle) if move.fate is Fate.ADDED]
            assert len(missing) == 6 - len(here)
            moving.take_in(bundle, missing)
            assert_whole(house, KEPT[:6])
        found.append(len(here))
    assert sorted(set(found)) == [3, 4, 5, 6]


OLDER = range(1, len(VAULT.scripts()))


@pytest.mark.parametrize("version", OLDER)
def test_an_older_vault_is_brought_up_to_date_whole_or_not_at_all(small, killed, tmp_path, version):
    grow_younger(small, tmp_path / "old", version)

    left = killed(tmp_path / "old", "accounts", "--json")

    versions = []
    for each in left:
        with closing(sqlite3.connect(each.home / "vault.db")) as vault:
            versions += vault.execute("PRAGMA user_version").fetchone()
            assert vault.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with each.house() as house:
            assert_whole(house, FEW)
    assert set(versions) == {version, len(VAULT.scripts())}
    assert versions == sorted(versions)


def grow_younger(home, older, version):
    """Write a vault as an older version would have: the rows that it knew, in the tables that it had."""
    copytree(home, older)
    (older / "vault.db").unlink()
    with closing(sqlite3.connect(older / "vault.db", isolation_level=None)) as vault:
        vault.executescript(
            "PRAGMA journal_mode = WAL;" + "".join(each.read_text() for each in VAULT.scripts()[:version])
        )
        vault.execute(f"PRAGMA application_id = {VAULT.mark}")
        vault.execute(f"PRAGMA user_version = {version}")
        vault.execute("ATTACH ? AS newer", (str(home / "vault.db"),))
        for (table,) in vault.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in vault.execute(f"PRAGMA main.table_info({table})"))
            vault.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
