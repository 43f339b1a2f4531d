from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.errors import (
    KeyUnreadable,
    Misconfigured,
    OriginChanged,
    ProviderUnavailable,
    Temporary,
    UnknownName,
)
from doorkey.testing.script import answer
from doorkey.testing.values import HOUR, NOON, some_tokens
from tests.service.fakes import ORIGINS


def gone(house, account):
    return account.id not in [known.id for known in house.book.all()]


def test_leaving_forgets_here_and_asks_nobody(house):
    account = house.keep()

    farewell = house.book.leave(account, revoke_too=False)

    assert gone(house, account)
    assert (farewell.revoked, farewell.unconfirmed) == (False, None)
    assert house.world.endpoints.requests == []


def test_leaving_with_revocation_ends_the_grant_first(house):
    account = house.keep()

    farewell = house.book.leave(account, revoke_too=True)

    (request,) = house.world.endpoints.requests
    assert request.form["token"] == some_tokens().refresh
    assert gone(house, account)
    assert farewell.revoked


@pytest.mark.parametrize(
    ("response", "error"),
    [(answer(503), ProviderUnavailable), (ProviderUnavailable("no way there"), ProviderUnavailable)],
)
def test_a_revocation_that_is_not_confirmed_is_told_and_the_account_forgotten(house, response, error):
    account = house.keep()
    house.world.endpoints.scripted = [response]

    farewell = house.book.leave(account, revoke_too=True)

    assert gone(house, account)
    assert not farewell.revoked
    assert isinstance(farewell.unconfirmed, error)


class Unreadable:
    """Fill `ports.Accounts` without the master key."""

    def __init__(self, accounts):
        self._accounts = accounts

    def __getattr__(self, name):
        return getattr(self._accounts, name)

    def load(self, account):
        raise KeyUnreadable("The key is missing.")


def test_without_the_key_accounts_are_listed_and_forgotten(house):
    account = house.keep()
    house.book._accounts = Unreadable(house.accounts)

    assert house.book.all() == [account]
    farewell = house.book.leave(account, revoke_too=True)

    assert gone(house, account)
    assert isinstance(farewell.unconfirmed, KeyUnreadable)


def test_a_key_is_not_revoked_by_us_and_that_is_said(house):
    account = house.keep_key()

    farewell = house.book.leave(account, revoke_too=True)

    assert isinstance(farewell.unconfirmed, Misconfigured)
    assert house.world.endpoints.requests == []


def test_a_token_is_not_revoked_at_another_address_than_it_was_made_for(house):
    account = house.keep(origins=replace(ORIGINS, revoke="https://old.example:443"))

    farewell = house.book.leave(account, revoke_too=True)

    assert isinstance(farewell.unconfirmed, OriginChanged)
    assert house.world.endpoints.requests == []
    assert gone(house, account)


def test_an_account_of_a_provider_that_is_gone_can_be_left(house):
    account = house.keep(provider="gone")

    farewell = house.book.leave(account, revoke_too=True)

    assert isinstance(farewell.unconfirmed, UnknownName)
    assert gone(house, account)


def test_a_default_that_is_left_is_no_default_any_more(house):
    first, second = house.keep(), house.keep(created_at=NOON + timedelta(hours=1))
    house.book.use(second)

    house.book.leave(second, revoke_too=False)

    assert house.book.is_default(first)
    assert house.choices.get("default:acme") is None


def test_another_accounts_default_stays(house):
    first, second = house.keep(), house.keep(created_at=NOON + timedelta(hours=1))
    house.book.use(second)

    house.book.leave(first, revoke_too=False)

    assert house.choices.get("default:acme") == second.id


def test_only_what_has_a_revocation_address_can_be_revoked(house):
    assert house.book.can_revoke(house.keep())
    assert not house.book.can_revoke(house.keep_key())


def test_an_account_is_called_otherwise(house):
    account = house.keep(name="work")

    house.book.rename(account, " private ")

    assert house.book.find("private").id == account.id


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 81, "taken"])
def test_a_name_that_cannot_be_is_refused(house, name):
    account = house.keep(name="work")
    house.keep_key(name="taken")

    with pytest.raises(Misconfigured):
        house.book.rename(account, name)

    assert house.accounts.one(account.id).name == "work"


def test_a_name_may_be_that_of_an_account_elsewhere(house):
    account = house.keep(name="work")
    house.keep_key("other", name="private")

    house.book.rename(account, "private")

    assert house.accounts.one(account.id).name == "private"


def test_nobody_is_renamed_in_the_middle_of_a_renewal_which_saves_the_whole_row(house):
    account = house.keep(name="work")
    house.world.ports.leases.take(account.id, HOUR)

    with pytest.raises(Temporary):
        house.book.rename(account, "private")

    assert house.accounts.one(account.id).name == "work"
