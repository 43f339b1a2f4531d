from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.tokens import Freshness
from doorkey.testing.values import HOUR, NOON, some_tokens

SECOND = timedelta(seconds=1)


def lasting(seconds):
    return replace(some_tokens(), expires_at=NOON + seconds * SECOND)


@pytest.mark.parametrize(
    ("life", "margin"),
    [(86_400, 300), (3600, 300), (1800, 180), (600, 60), (300, 60), (120, 60), (100, 50), (2, 1), (0, 0)],
)
def test_a_token_is_renewed_a_tenth_of_its_life_ahead_within_bounds(life, margin):
    assert lasting(life).margin == margin * SECOND


@pytest.mark.parametrize(
    ("age", "freshness"),
    [
        (timedelta(0), Freshness.FRESH),
        (HOUR - 301 * SECOND, Freshness.FRESH),
        (HOUR - 300 * SECOND, Freshness.STALE),
        (HOUR - SECOND, Freshness.STALE),
        (HOUR, Freshness.EXPIRED),
    ],
)
def test_a_token_grows_stale_before_it_expires(age, freshness):
    assert some_tokens().freshness(NOON + age) is freshness


@pytest.mark.parametrize(
    ("set_back", "freshness"), [(timedelta(seconds=60), Freshness.FRESH), (timedelta(seconds=61), Freshness.STALE)]
)
def test_a_token_from_the_future_is_stale_because_the_clock_was_set_back_since(set_back, freshness):
    assert some_tokens().freshness(NOON - set_back) is freshness


def test_a_token_without_an_end_stays_fresh():
    endless = replace(some_tokens(), expires_at=None)

    assert endless.freshness(NOON + 10_000 * HOUR) is Freshness.FRESH
    assert endless.stale_at is None
    assert endless.lasts(10_000 * HOUR, NOON)


@pytest.mark.parametrize(
    ("earliest", "stale_at"),
    [(timedelta(minutes=30), timedelta(minutes=55)), (timedelta(minutes=58), timedelta(minutes=58)), (2 * HOUR, HOUR)],
)
def test_the_providers_earliest_moment_holds_a_renewal_back_while_the_token_lives(earliest, stale_at):
    tokens = replace(some_tokens(), earliest_refresh_at=NOON + earliest)

    assert tokens.stale_at == NOON + stale_at


def test_a_token_that_never_lived_is_expired_at_once():
    assert lasting(0).freshness(NOON) is Freshness.EXPIRED


@pytest.mark.parametrize(("span", "lasts"), [(HOUR, True), (HOUR + SECOND, False)])
def test_a_token_lasts_to_its_very_end(span, lasts):
    assert some_tokens().lasts(span, NOON) is lasts
