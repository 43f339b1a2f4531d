"""The keys of a shared vault, and of a shared one with a local one beside it."""

from contextlib import closing

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store import postgres
from doorkey.adapters.store.split import split
from doorkey.adapters.store.sqlite import open_vault
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.testing.values import an_attempt, held
from tests.adapters.store.terms import OneMethodStays


@pytest.fixture
def key_file(tmp_path):
    return KeyFile(tmp_path / "config")


@pytest.fixture
def both(tmp_path, key_file):
    """Two vaults under one key, as one: an account of the method `private` is in the second."""
    shared, local = (open_vault(tmp_path / name, [key_file]) for name in ("shared", "local"))
    with closing(split(shared, local, OneMethodStays())) as vault:
        yield vault


@pytest.fixture
def kept(both):
    """An account in each."""
    kept = [held(id="acc_1"), held(id="acc_2", method="private")]
    for each in kept:
        both.accounts.save(each, read=None)
    return kept


def take(steps):
    return list(steps)


def loaded(vault, kept):
    return [vault.accounts.load(each.account.id) for each in kept]


def test_the_key_of_both_is_moved_and_the_old_one_removed_with_the_second(both, kept, key_file):
    before = key_file.read()
    steps = both.keys.move("file")
    next(steps), next(steps)
    half = loaded(both, kept)
    take(steps)

    take(both.keys.move("file"))

    assert half == kept
    assert loaded(both, kept) == kept
    assert before not in key_file._keys()
    assert len(key_file._keys()) == 2


def test_one_code_opens_both(both, kept, key_file):
    code = take(both.keys.rotate())[-1]
    key_file.path.unlink()

    take(both.keys.move("file", code=code))

    assert both.keys.facts().problem is None
    assert loaded(both, kept) == kept


def test_a_missing_key_of_either_is_a_problem(both, kept, key_file):
    assert both.keys.facts().problem is None

    key_file.path.unlink()

    assert both.keys.facts().problem
    assert kept


@pytest.mark.postgres
def test_a_shared_vault_is_moved_rotated_and_recovered(postgres_url, tmp_path, key_file):
    mine, attempt = held(), an_attempt()
    vault, _ = postgres.open_vault(Secret(postgres_url), [key_file])
    with closing(vault):
        vault.accounts.save(mine, read=None)
        vault.attempts.save(attempt, was=None)

        take(vault.keys.move("file"))
        *left, code = take(vault.keys.rotate())
        key_file.path.unlink()
        with pytest.raises(KeyUnreadable):
            take(vault.keys.rotate())
        take(vault.keys.move("file", code=code))

        facts = vault.keys.facts()
        assert vault.accounts.load(mine.account.id) == mine
        assert vault.attempts.load(attempt.id) == attempt
    assert left == [0]
    assert (facts.source, facts.problem, facts.rotating) == ("file", None, False)
    assert facts.recovery_code_at
