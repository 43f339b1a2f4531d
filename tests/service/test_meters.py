"""How much of the accounts is used, and how seldom a provider is asked for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import Standing, State
from doorkey.domain.window import Told, Window
from doorkey.errors import ProviderUnavailable, UsageLimitReached
from doorkey.service.meters import PERIOD
from doorkey.service.resolve import Wish
from doorkey.testing.script import answer
from doorkey.testing.values import HOUR, NOON
from tests.service.fakes import ACME, KEY, LOCAL, OAUTH, OFF, OTHER

BODY = {"rate_limit": {"primary_window": {"used_percent": 85, "limit_window_seconds": 18000}}}
WITH_PAGE = replace(ACME, methods=(replace(OAUTH, usage="codex"), replace(OFF, usage="codex"), KEY))
WINDOW = Window(name="5 hours", used_percent=85.0, resets_at=NOON + HOUR, source=Told.HEADERS, as_of=NOON)


@pytest.fixture
def page(house):
    """A provider with a usage page, and what was asked of it."""
    house.catalog.providers = (WITH_PAGE, OTHER, LOCAL)
    return house.world.endpoints


def read(house, account):
    return [(each.name, each.used_percent, each.source) for each in house.meters.known().get(account.id, ())]


def test_a_page_is_asked_with_the_account_at_the_origin_of_its_api(house, page):
    account = house.keep()
    page.scripted = [answer(200, BODY)]

    assert house.meters.look(account) is None

    (request,) = page.requests
    assert (request.method, request.url) == ("GET", "https://api.example:443/backend-api/wham/usage")
    assert request.headers["authorization"].reveal() == "Bearer access-one"
    assert read(house, account) == [("5 hours", 85.0, Told.PAGE)]


def test_a_page_is_not_asked_again_for_a_quarter_of_an_hour_whatever_it_answered(house, page):
    account = house.keep()
    page.scripted = [answer(503), answer(200, BODY)]

    assert isinstance(house.meters.look(account), ProviderUnavailable)
    house.clock.sleep(PERIOD - timedelta(seconds=1))
    assert house.meters.look(account) is None
    assert len(page.requests) == 1

    house.clock.sleep(timedelta(seconds=1))
    house.meters.look(account)
    assert read(house, account) == [("5 hours", 85.0, Told.PAGE)]


def test_a_page_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(house, page):
    account = house.keep()
    page.scripted = [answer(429, retry_after="7200")]

    assert isinstance(house.meters.look(account), UsageLimitReached)
    house.clock.sleep(2 * HOUR - timedelta(seconds=1))
    house.meters.look(account)

    assert len(page.requests) == 1
    assert house.accounts.one(account.id).standing.state is State.READY


def test_a_page_that_refuses_says_nothing_about_the_account(house, page):
    account = house.keep()
    page.scripted = [answer(403)]

    house.meters.look(account)

    assert house.accounts.one(account.id).standing == Standing()


@pytest.mark.parametrize("status", [401, 402, 403, 500])
def test_a_second_page_that_refuses_says_nothing_about_the_account_either(house, status):
    house.catalog.providers = (replace(ACME, methods=(replace(KEY, usage="openrouter"),)), OTHER, LOCAL)
    account = house.keep_key()
    house.world.endpoints.scripted = [answer(200, {"data": {"limit": 10, "limit_remaining": 4}}), answer(status)]

    assert house.meters.look(account) is None

    assert house.accounts.one(account.id).standing.state is State.READY
    assert read(house, account) == [("limit of this key", 60.0, Told.PAGE)]


def test_a_refused_token_is_renewed_once_for_a_page(house, page):
    account = house.keep()
    page.scripted = [answer(401)]

    house.meters.look(account)

    assert [request.method for request in page.requests] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("method", ["oauth", "off", "gone"])
def test_where_there_is_no_page_nobody_is_asked_and_nothing_is_wrong(house, method):
    account = house.keep(method=method)

    assert house.meters.look(account) is None
    assert house.world.endpoints.requests == []


def test_an_account_that_cannot_serve_is_not_asked_for(house, page):
    blocked = house.keep(method="off")

    assert house.meters.look_at_all()[blocked.id].code == "policy_refused"
    assert page.requests == []


def test_a_page_that_cannot_be_read_tells_nothing(house, page):
    account = house.keep()
    page.scripted = [answer(200, b"<html>")]

    assert house.meters.look(account) is None
    assert read(house, account) == []


def test_a_turn_from_a_clock_that_was_set_back_keeps_nobody_away(house, page):
    account = house.keep()
    house.shelf.set(f"usage:{account.id}", (NOON + timedelta(days=400)).isoformat())
    page.scripted = [answer(200, BODY)]

    house.meters.look(account)

    assert len(page.requests) == 1


def test_after_its_reset_a_window_is_unknown_and_not_empty(house):
    account = house.keep()
    house.readings.keep(account.id, [WINDOW])
    house.clock.sleep(HOUR)

    assert read(house, account) == [("5 hours", None, Told.HEADERS)]


def test_what_was_read_of_an_account_that_is_gone_is_forgotten(house):
    house.readings.keep("acc_gone", [WINDOW])
    house.readings.keep("env:ACME_API_KEY", [WINDOW])

    assert list(house.meters.known()) == ["env:ACME_API_KEY"]
    assert list(house.readings.all()) == ["env:ACME_API_KEY"]


@pytest.mark.parametrize(("used", "is_told"), [(79.9, False), (80.0, True), (None, False)])
def test_a_person_is_told_of_a_window_when_it_gets_tight(house, used, is_told):
    account = house.keep()
    house.readings.keep(account.id, [replace(WINDOW, used_percent=used)])

    told = house.meters.tight(house.resolver.choose(Wish(provider="acme")))

    assert (told is not None) is is_told
