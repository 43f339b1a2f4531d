"""Two vaults as one: what must stay on this machine is in the local one, and each is found wherever it is."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from doorkey.adapters.catalog import FileCatalog
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.split import TermsOfPolicies, split
from doorkey.adapters.store.sqlite import open_vault
from doorkey.domain.account import Standing, State
from doorkey.errors import KeyUnreadable, UnknownName
from doorkey.providers import ALL
from doorkey.testing.clock import FakeClock, FakeMachine
from doorkey.testing.contracts.accounts import AccountsContract
from doorkey.testing.contracts.attempts import AttemptsContract
from doorkey.testing.contracts.leases import LeasesContract
from doorkey.testing.values import an_attempt, held
from tests.adapters.store.terms import OneMethodStays

SPAN = timedelta(seconds=40)


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def both(tmp_path, machine):
    """Give the two vaults by themselves; `vault` closes them."""
    opened = [open_vault(tmp_path / name, [KeyFile(tmp_path / name)], machine=machine) for name in ("shared", "local")]
    return SimpleNamespace(shared=opened[0], local=opened[1])


@pytest.fixture
def vault(both):
    vault = split(both.shared, both.local, OneMethodStays())
    yield vault
    vault.close()


class TestSplitAccounts(AccountsContract):
    @pytest.fixture
    def store(self, vault):
        return vault.accounts

    def test_an_account_is_kept_where_its_policy_says(self, vault, both):
        mine, private = held(), held(method="private")

        for each in (mine, private):
            vault.accounts.save(each, read=None)

        assert both.shared.accounts.all() == [mine.account]
        assert both.local.accounts.all() == [private.account]
        assert vault.accounts.all() == [mine.account, private.account]
        assert vault.is_shared(mine.account.id)
        assert not vault.is_shared(private.account.id)

    def test_an_account_of_the_local_vault_is_renewed_and_forgotten_there(self, vault, both):
        private = held(method="private")
        vault.accounts.save(private, read=None)
        newer = replace(private, account=replace(private.account, generation=1))
        blocked = replace(newer.account, standing=Standing(state=State.BLOCKED))

        saved = vault.accounts.save(newer, read=0)
        recorded = vault.accounts.save_standing(blocked)

        assert (saved, recorded) == (True, True)
        assert both.local.accounts.all() == [blocked]
        vault.accounts.forget(private.account.id)
        assert not vault.accounts.all()

    @pytest.mark.parametrize("method", ["oauth", "private"])
    def test_a_change_in_either_moves_the_version(self, vault, both, method):
        before = vault.accounts.version()

        (both.local if method == "private" else both.shared).accounts.save(held(method=method), read=None)

        assert vault.accounts.version() != before


class TestSplitLeases(LeasesContract):
    @pytest.fixture
    def store(self, vault):
        return vault.leases

    @pytest.mark.parametrize("method", ["oauth", "private"])
    def test_a_lease_lies_beside_its_account(self, vault, both, method):
        mine = held(method=method)
        vault.accounts.save(mine, read=None)

        lease = vault.leases.take(mine.account.id, SPAN)

        here, elsewhere = (both.local, both.shared) if method == "private" else (both.shared, both.local)
        assert here.leases.owns(lease, SPAN)
        assert not elsewhere.leases.owns(lease, SPAN)


class TestSplitAttempts(AttemptsContract):
    @pytest.fixture
    def store(self, vault):
        return vault.attempts

    def test_a_sign_in_that_must_stay_here_is_not_in_the_shared_vault(self, vault, both):
        private = an_attempt(method="private")

        vault.attempts.save(private, was=None)

        assert vault.attempts.load(private.id) == both.local.attempts.load(private.id) == private
        with pytest.raises(UnknownName):
            both.shared.attempts.load(private.id)


@pytest.mark.parametrize("lost", ["shared", "local"])
def test_the_key_of_either_is_missed(vault, tmp_path, lost):
    for each in (held(), held(method="private")):
        vault.accounts.save(each, read=None)

    (tmp_path / lost / "doorkey.key").unlink()

    with pytest.raises(KeyUnreadable):
        vault.cipher.check()


@pytest.mark.parametrize(
    ("provider", "method", "stays"),
    [
        ("openai", "chatgpt", True),
        ("openai", "api-key", False),
        ("anthropic", "api-key", False),
        ("openai", "gone", None),
        ("gone", "oauth", None),
    ],
)
def test_the_terms_say_what_stays_on_this_machine(tmp_path, provider, method, stays):
    catalog = FileCatalog(tmp_path / "config.toml", ALL, FakeClock())

    assert TermsOfPolicies(catalog)(provider, method) is stays


def test_the_providers_are_known_whose_terms_keep_something_here(tmp_path):
    catalog = FileCatalog(tmp_path / "config.toml", ALL, FakeClock())

    confined = TermsOfPolicies(catalog).confined()

    assert "openai" in confined
    assert "google" not in confined
