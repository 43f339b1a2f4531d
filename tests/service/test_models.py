import json
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import Origins
from doorkey.domain.provider import Api, Dialect
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable, SignInNeeded, UsageLimitReached
from doorkey.providers.anthropic import ANTHROPIC
from doorkey.service.models import KEPT_FOR, read_models
from doorkey.service.resolve import Wish
from doorkey.testing.script import answer
from doorkey.testing.values import NOON
from tests.service.fakes import ACME, APP_ONLY, IN_ENVIRONMENT

LIST = answer(200, {"data": [{"id": "one"}, {"id": "two"}]})


def choose(house, provider="acme"):
    return house.resolver.choose(Wish(provider=provider))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": [{"id": "one"}, {"id": "two"}]}, ("one", "two")),
        ({"models": [{"slug": "one", "visibility": "list"}, {"slug": "two", "visibility": "hide"}]}, ("one",)),
        ({"models": [{"slug": "b"}, {"slug": "a"}]}, ("b", "a")),
        ({"data": []}, ()),
        ({}, ()),
        ({"data": [7, None, {}, {"id": 7}, {"id": "one"}]}, ("one",)),
        ({"data": 7}, ()),
        ({"data": {"id": "one"}}, ()),
    ],
)
def test_a_list_is_read_in_both_shapes(body, names):
    assert read_models(json.dumps(body).encode()) == names


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff", b"[" * 100_000])
def test_a_list_that_cannot_be_read_is_a_fault_that_passes(body):
    with pytest.raises(ProviderUnavailable):
        read_models(body)


def test_models_are_asked_for_with_the_account_and_kept_for_a_while(house):
    house.keep()
    house.world.endpoints.scripted = [LIST, answer(200, {"data": [{"id": "three"}]})]

    listed = house.models.of(choose(house))
    again = house.models.of(choose(house))
    house.clock.sleep(KEPT_FOR)
    later = house.models.of(choose(house))

    (first, _) = house.world.endpoints.requests
    assert first.url == "https://api.example/v1/models"
    assert first.headers["authorization"] == Secret("Bearer access-one")
    assert listed == again
    assert listed.names == ("one", "two")
    assert later.names == ("three",)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(503), ProviderUnavailable),
        (answer(200, b"<html>"), ProviderUnavailable),
        (answer(429, {"error": {"code": "insufficient_quota"}}), UsageLimitReached),
        (ProviderUnavailable("no way there"), ProviderUnavailable),
    ],
)
def test_on_a_fault_the_last_good_list_stays_and_says_why(house, response, error):
    house.keep()
    house.world.endpoints.scripted = [LIST]
    house.models.of(choose(house))
    house.clock.sleep(KEPT_FOR)
    house.world.endpoints.scripted = [response]

    listed = house.models.of(choose(house))

    assert listed.names == ("one", "two")
    assert listed.read_at == NOON
    assert isinstance(listed.fault, error)


def test_a_fault_at_first_gives_an_empty_list_and_the_next_look_asks_again(house):
    house.keep()
    house.world.endpoints.scripted = [answer(503), LIST]

    first, second = house.models.of(choose(house)), house.models.of(choose(house))

    assert (first.names, first.read_at) == ((), None)
    assert (second.names, second.fault) == (("one", "two"), None)


def test_a_refused_token_is_renewed_once(house):
    house.keep()
    house.clock.sleep(timedelta(minutes=10))
    choice = choose(house)
    renewal = answer(200, {"access_token": "newer", "expires_in": 3600})
    house.world.endpoints.scripted = [answer(401), renewal, LIST]

    listed = house.models.of(choice)

    assert listed.names == ("one", "two")
    assert house.world.endpoints.requests[-1].headers["authorization"] == Secret("Bearer newer")


def test_a_second_refusal_is_final(house):
    house.surroundings.keys = [IN_ENVIRONMENT]
    house.world.endpoints.scripted = [answer(401)]

    listed = house.models.of(choose(house))

    assert isinstance(listed.fault, SignInNeeded)
    assert len(house.world.endpoints.requests) == 1


def test_anthropic_is_asked_at_its_own_path_and_version(house):
    house.catalog.providers = (ANTHROPIC,)
    house.keep_key("anthropic", origins=Origins(api="https://api.anthropic.com:443"))
    house.world.endpoints.scripted = [LIST]

    house.models.of(choose(house, "anthropic"))

    (request,) = house.world.endpoints.requests
    assert request.url == "https://api.anthropic.com/v1/models"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["x-api-key"] == Secret("access-one")


def test_codex_is_told_who_asks(house):
    api = Api(base_url="https://api.example/codex", dialect=Dialect.OPENAI_RESPONSES, rules="codex")
    house.catalog.providers = (replace(ACME, methods=(replace(APP_ONLY, id="oauth", api=api),)),)
    house.keep()
    house.world.endpoints.scripted = [LIST]

    house.models.of(choose(house))

    (request,) = house.world.endpoints.requests
    assert request.headers["originator"] == "doorkey"
    assert request.headers["chatgpt-account-id"] == "workspace-1"


def test_no_secret_shows_when_the_request_is_printed(house):
    house.keep()
    house.world.endpoints.scripted = [LIST]

    house.models.of(choose(house))

    assert "access-one" not in repr(house.world.endpoints.requests)
