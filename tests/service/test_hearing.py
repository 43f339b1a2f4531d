"""What the answers of providers say of the accounts that asked."""

from datetime import timedelta

import pytest

from doorkey.domain.account import RENEWAL, Proof, Standing, State
from doorkey.domain.window import Told, Window
from doorkey.errors import UsageLimitReached
from doorkey.service.hearing import MODEL_CALL, MODEL_LIST, STEP, USAGE_PAGE, Heard
from doorkey.service.resolve import Wish
from doorkey.testing.script import answer
from doorkey.testing.values import HOUR, NOON
from tests.service.fakes import IN_ENVIRONMENT

HALF = {"x-codex-primary-used-percent": "50"}
LIMIT = Standing(state=State.OVER_LIMIT, reason="The plan is used up.", until=NOON + HOUR)
DEAD = Standing(state=State.SIGN_IN_NEEDED, reason="The grant has ended.")


def heard(house, status=200, *, call=MODEL_CALL, at=NOON, body=None, headers=None, page=(), **wish):
    choice = house.resolver.choose(Wish(provider="acme", **wish))
    response = answer(status, body, **(headers or {}))
    return Heard.of(choice, call, response, at).with_page(page)


def standing(house, account):
    return house.accounts.one(account.id).standing


def test_an_answer_is_a_proof(house):
    account = house.keep()

    house.hearing.take([heard(house)])

    assert standing(house, account) == Standing(proof=Proof(NOON, MODEL_CALL))


def test_a_proof_moves_on_every_few_minutes_because_each_move_is_noticed_by_everybody(house):
    account = house.keep()
    house.hearing.take([heard(house)])
    version = house.accounts.version()

    house.hearing.take([heard(house, at=NOON + STEP - timedelta(seconds=1))])
    assert house.accounts.version() == version

    house.hearing.take([heard(house, at=NOON + STEP)])
    assert standing(house, account).proof == Proof(NOON + STEP, MODEL_CALL)


def test_a_proof_of_a_renewal_stands_as_long_as_rule_4_needs_it(house):
    account = house.keep(standing=Standing(proof=Proof(NOON, RENEWAL)))

    house.hearing.take([heard(house, at=NOON + timedelta(seconds=61))])

    assert standing(house, account).proof == Proof(NOON, RENEWAL)


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (401, {}, State.SIGN_IN_NEEDED),
        (429, {"error": {"code": "usage_limit_reached", "resets_in_seconds": 3600}}, State.OVER_LIMIT),
        (429, {"error": {"code": "rate_limit_exceeded"}}, State.READY),
        (403, {}, State.READY),
        (503, {}, State.READY),
        (404, {}, State.READY),
    ],
)
def test_a_refusal_says_how_an_account_stands_or_nothing_about_it(house, status, body, state):
    account = house.keep()

    house.hearing.take([heard(house, status, body=body)])

    assert standing(house, account).state is state
    assert standing(house, account).until == (NOON + HOUR if state is State.OVER_LIMIT else None)


def test_a_model_that_answers_opens_a_limit_at_once(house):
    account = house.keep(standing=LIMIT)

    house.hearing.take([heard(house)])

    assert standing(house, account) == Standing(proof=Proof(NOON, MODEL_CALL))


def test_a_list_of_models_says_nothing_about_a_limit(house):
    account = house.keep(standing=LIMIT)

    house.hearing.take([heard(house, call=MODEL_LIST)])

    assert standing(house, account).state is State.OVER_LIMIT


@pytest.mark.parametrize(("used", "state"), [(99.0, State.READY), (100.0, State.OVER_LIMIT)])
def test_a_reading_with_something_left_opens_a_limit(house, used, state):
    account = house.keep(standing=LIMIT)
    window = Window(name="5 hours", used_percent=used, resets_at=None, source=Told.PAGE, as_of=NOON)

    house.hearing.take([heard(house, call=USAGE_PAGE, page=(window,))])

    assert standing(house, account).state is state


def test_a_key_that_works_is_no_dead_key(house):
    account = house.keep_key(standing=DEAD)

    house.hearing.take([heard(house)])

    assert standing(house, account).state is State.READY


def test_a_dead_sign_in_stays_dead_while_its_last_token_works(house):
    account = house.keep(standing=DEAD)

    house.hearing.take([heard(house)])

    assert standing(house, account).state is State.SIGN_IN_NEEDED


def test_the_last_answer_of_a_batch_counts(house):
    account = house.keep()
    used_up = {"error": {"code": "usage_limit_reached"}}

    house.hearing.take([heard(house, 429, body=used_up), heard(house)])
    assert standing(house, account).state is State.READY

    house.hearing.take([heard(house), heard(house, 429, body=used_up)])
    assert standing(house, account).state is State.OVER_LIMIT


def test_what_ends_an_answer_that_had_begun_counts_more_than_its_beginning(house):
    account = house.keep()
    fault = UsageLimitReached("The plan is used up.", until=NOON + HOUR)

    house.hearing.take([heard(house), Heard.inside(account, fault, NOON)])

    assert standing(house, account).state is State.OVER_LIMIT
    assert standing(house, account).until == NOON + HOUR


def test_windows_are_kept_by_account_also_those_that_a_refusal_tells_of(house):
    account = house.keep()

    house.hearing.take(
        [heard(house, headers=HALF), heard(house, 429, headers=HALF | {"x-codex-primary-used-percent": "100"})]
    )

    (window,) = house.readings.all()[account.id]
    assert (window.used_percent, window.as_of) == (100.0, NOON)


def test_windows_of_a_key_outside_the_vault_are_kept_by_its_name(house):
    house.surroundings.keys = [IN_ENVIRONMENT]

    house.hearing.take([heard(house, headers=HALF)])

    assert list(house.readings.all()) == ["env:ACME_API_KEY"]


def test_an_account_that_is_gone_is_not_spoken_of(house):
    account = house.keep()
    answer = heard(house, 401)
    house.accounts.forget(account.id)

    house.hearing.take([answer])

    assert house.accounts.all() == []
