from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import RENEWAL, Origins, Standing, State
from doorkey.domain.attempt import Arrival, Status
from doorkey.domain.secret import Secret
from doorkey.errors import StoreBusy, UnknownName
from doorkey.providers.sandbox import SANDBOX
from doorkey.service.keeper import PERIOD, SPREAD, Keeper
from doorkey.testing.memory import MemoryAccounts
from doorkey.testing.script import METHOD, answer
from doorkey.testing.values import HOUR, NOON, an_attempt, an_identity, some_tokens
from tests.service.fakes import ACME

STALE = NOON + HOUR - timedelta(seconds=300)
NEW = Secret("access-renewed-1")


class Dice:
    """Fill `ports.Entropy`: always the same throw."""

    def __init__(self, throw=0):
        self.throw = throw

    def bytes(self, size):
        return bytes([self.throw]) * size


def a_keeper(house, throw=0, accounts=None):
    return Keeper(
        accounts=accounts or house.accounts,
        attempts=house.world.ports.attempts,
        catalog=house.catalog,
        sources=house.sources,
        clock=house.clock,
        entropy=Dice(throw),
    )


def look(house, keeper):
    """Look, and wait for what was begun."""
    keeper.look()
    house.sources.close()


def test_a_token_is_renewed_before_its_end_though_nobody_asks(house):
    account = house.keep()
    house.clock.time = STALE

    look(house, a_keeper(house))

    stands = house.world.stands(account.id)
    assert stands.tokens.access == NEW
    assert stands.account.standing.proof.call == RENEWAL


def test_a_token_that_lapsed_in_the_night_is_renewed_in_the_morning(house):
    account = house.keep()
    house.clock.time = NOON + 12 * HOUR

    look(house, a_keeper(house))

    assert house.world.stands(account.id).tokens.access == NEW


def test_a_fresh_token_is_left_alone(house):
    house.keep()
    house.clock.time = STALE - timedelta(seconds=1)

    look(house, a_keeper(house))

    assert house.world.endpoints.requests == []


def test_a_short_lived_token_is_renewed_only_when_it_is_stale(house):
    ends = NOON + timedelta(minutes=4)
    house.keep(tokens=replace(some_tokens(), expires_at=ends), expires_at=ends)
    keeper = a_keeper(house)

    look(house, keeper)
    early = house.world.endpoints.refreshes
    house.clock.time = NOON + timedelta(minutes=3)
    look(house, keeper)

    assert (early, house.world.endpoints.refreshes) == (0, 1)


def test_renewals_that_come_due_together_are_spread_by_chance(house):
    house.keep()
    house.clock.time = STALE
    keeper = a_keeper(house, throw=255)
    begun = []

    for _ in range(4):
        look(house, keeper)
        begun.append(house.world.endpoints.refreshes)
        house.clock.time += PERIOD

    assert SPREAD == 2 * PERIOD
    assert begun == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"standing": Standing(state=State.SIGN_IN_NEEDED)},
        {"standing": Standing(state=State.BLOCKED)},
        {"standing": Standing(state=State.OFF)},
        {"standing": Standing(retry_at=STALE + timedelta(seconds=5), failures=1)},
        {"origins": Origins(api="https://elsewhere.example:443", token="https://issuer.example:443")},
        {"method": "off"},
        {"method": "gone"},
        {"provider": "gone"},
        {"renews": False},
    ],
)
def test_what_may_not_renew_now_is_left_alone(house, changes):
    house.keep(**changes)
    house.clock.time = STALE

    look(house, a_keeper(house))

    assert house.world.endpoints.requests == []


def test_a_used_up_plan_is_kept_fresh(house):
    account = house.keep(standing=Standing(state=State.OVER_LIMIT, until=NOON + 5 * HOUR))
    house.clock.time = STALE

    look(house, a_keeper(house))

    assert house.world.stands(account.id).tokens.access == NEW


@pytest.mark.parametrize(("time", "refreshes"), [(STALE, 1), (NOON + HOUR, 0)])
def test_the_practice_provider_is_not_woken_up(house, time, refreshes):
    house.catalog.providers = (replace(SANDBOX, api=ACME.api, methods=(METHOD,)),)
    house.keep(provider=SANDBOX.id)
    house.clock.time = time

    look(house, a_keeper(house))

    assert house.world.endpoints.refreshes == refreshes


def test_a_failure_is_recorded_and_troubles_nobody(house):
    account = house.keep()
    house.clock.time = STALE
    house.world.endpoints.scripted = [answer(503)]
    keeper = a_keeper(house)

    look(house, keeper)
    look(house, keeper)

    assert len(house.world.endpoints.requests) == 1
    assert house.world.stands(account.id).account.standing.failures == 1


class Busy(MemoryAccounts):
    """Accounts that another program has locked."""

    def all(self):
        raise StoreBusy("locked")


def test_a_vault_that_is_busy_is_looked_at_again_later(house):
    keeper = a_keeper(house, accounts=Busy())

    keeper.look()

    assert house.world.endpoints.requests == []


def test_what_a_sign_in_kept_for_a_persons_word_is_gone_when_its_time_is_over(house):
    attempts = house.world.ports.attempts
    waiting = an_attempt(status=Status.SOMEBODY_ELSE, arrived=Arrival(an_identity(), some_tokens()))
    attempts.save(waiting, was=None)
    keeper = a_keeper(house)

    keeper.look()
    assert attempts.load(waiting.id) == waiting
    house.clock.time = waiting.expires_at
    keeper.look()

    with pytest.raises(UnknownName):
        attempts.load(waiting.id)
