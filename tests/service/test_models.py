from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import SIGNED_IN, Origins, Proof
from doorkey.domain.provider import Api, Dialect, Payer
from doorkey.domain.secret import Secret
from doorkey.errors import (
    Misconfigured,
    OriginChanged,
    ProviderUnavailable,
    SignInNeeded,
    StoreBusy,
    UnknownName,
    UsageLimitReached,
)
from doorkey.providers.anthropic import ANTHROPIC
from doorkey.providers.google import GOOGLE
from doorkey.service.models import KEPT_FOR, REMEMBERED_FOR
from doorkey.service.resolve import Wish
from doorkey.testing.script import answer
from doorkey.testing.values import NOON, an_identity
from tests.service.fakes import ACME, APP_ONLY, IN_ENVIRONMENT

LIST = answer(200, {"data": [{"id": "one"}, {"id": "two"}]})


def choose(house, provider="acme"):
    return house.resolver.choose(Wish(provider=provider))


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
    assert request.url == "https://api.anthropic.com/v1/models?limit=1000"
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


def test_a_list_of_several_pages_is_read_to_its_end(house):
    house.catalog.providers = (ANTHROPIC,)
    house.keep_key("anthropic", origins=Origins(api="https://api.anthropic.com:443"))
    first = answer(200, {"data": [{"id": "one"}], "has_more": True, "last_id": "one"})
    house.world.endpoints.scripted = [
        first,
        answer(200, {"data": [{"id": "two"}], "has_more": False, "last_id": "two"}),
    ]

    listed = house.models.of(choose(house, "anthropic"))

    assert listed.names == ("one", "two")
    assert house.world.endpoints.requests[-1].url.endswith("/v1/models?limit=1000&after_id=one")


def test_pages_without_an_end_are_left_at_some_point(house):
    house.catalog.providers = (ANTHROPIC,)
    house.keep_key("anthropic", origins=Origins(api="https://api.anthropic.com:443"))
    page = answer(200, {"data": [{"id": "one"}], "has_more": True, "last_id": "one"})
    house.world.endpoints.scripted = [page] * 50

    house.models.of(choose(house, "anthropic"))

    assert len(house.world.endpoints.requests) < 50


def test_google_s_names_are_told_without_what_stands_before_all_of_them(house):
    house.catalog.providers = (GOOGLE,)
    house.keep_key("google", origins=Origins(api="https://generativelanguage.googleapis.com:443"))
    house.world.endpoints.scripted = [answer(200, {"data": [{"id": "models/gemini-3-flash"}, {"id": "tuned/one"}]})]

    listed = house.models.of(choose(house, "google"))

    (request,) = house.world.endpoints.requests
    assert request.url == "https://generativelanguage.googleapis.com/v1beta/openai/models"
    assert request.headers["authorization"] == Secret("Bearer access-one")
    assert listed.names == ("gemini-3-flash", "tuned/one")


def test_a_restart_shows_the_last_good_list_with_its_age(house):
    house.keep()
    house.world.endpoints.scripted = [LIST]
    house.models.of(choose(house))
    house.clock.sleep(timedelta(days=2))
    house.world.endpoints.scripted = [ProviderUnavailable("no way there")] * 2

    listed = house.new_models().of(choose(house))

    assert (listed.names, listed.read_at) == (("one", "two"), NOON)
    assert isinstance(listed.fault, ProviderUnavailable)


def test_a_list_that_another_process_has_just_read_is_not_asked_for_again(house):
    house.keep()
    house.world.endpoints.scripted = [LIST]
    house.models.of(choose(house))

    assert house.new_models().of(choose(house)).names == ("one", "two")


@pytest.mark.parametrize("stored", ["", "{", "[]", '{"names": 7}', '{"names": [], "read_at": "once"}', '"x"'])
def test_a_memory_that_cannot_be_read_is_none(house, stored):
    account = house.keep()
    house.shelf.set(f"models:{account.id}", stored)
    house.world.endpoints.scripted = [LIST]

    assert house.models.of(choose(house)).names == ("one", "two")


def test_a_store_that_is_busy_keeps_nobody_from_the_list(house):
    house.keep()
    house.shelf = BusyShelf()
    house.world.endpoints.scripted = [LIST]

    assert house.new_models().of(choose(house)).names == ("one", "two")


def test_after_a_new_sign_in_the_models_are_asked_for_anew(house):
    account = house.keep()
    house.world.endpoints.scripted = [LIST, answer(200, {"data": [{"id": "three"}]})]
    house.models.of(choose(house))
    house.clock.sleep(timedelta(minutes=1))
    proved = replace(account.standing, proof=Proof(house.clock.now(), SIGNED_IN))
    house.accounts.save_standing(replace(account, standing=proved))

    assert house.models.of(choose(house)).names == ("three",)


def test_a_server_on_this_machine_is_asked_each_time(house):
    house.keep(provider="local", method="none", origins=Origins(api="http://127.0.0.1:9"))
    house.world.endpoints.scripted = [LIST, answer(200, {"data": [{"id": "three"}]})]

    first, second = house.models.of(choose(house, "local")), house.models.of(choose(house, "local"))

    assert (first.names, second.names) == (("one", "two"), ("three",))


def test_of_an_account_that_has_left_nothing_is_remembered(house):
    account = house.keep()
    house.world.endpoints.scripted = [LIST]
    house.models.of(choose(house))
    remembered = house.shelf.get(f"models:{account.id}")

    house.book.leave(account, revoke_too=False)

    assert remembered is not None
    assert house.shelf.get(f"models:{account.id}") is None


def test_an_account_can_leave_though_the_store_of_its_models_is_busy(house):
    account = house.keep()
    house.shelf = BusyShelf()

    assert house.book.leave(account, revoke_too=False).account == account


UNKNOWN = UnknownName("The provider does not serve this model to this account.")
REFUSED = Misconfigured("The provider refused the request (status 400).")
GPTS = answer(200, {"data": [{"id": "gpt-6-sol"}, {"id": "gpt-6-luna"}, {"id": "whisper"}]})


def test_a_model_that_a_plan_does_not_have_is_explained_with_the_nearest(house):
    house.keep(identity=an_identity(plan="plus"), payer=Payer.PLAN)
    house.world.endpoints.scripted = [GPTS]

    error = house.models.explain(choose(house), "gpt-6.1-sol", UNKNOWN)

    assert str(error) == "gpt-6.1-sol is not in your Plus plan."
    assert error.nearest == "acme:gpt-6-sol"
    assert "The nearest that is there is acme:gpt-6-sol; `doorkey models acme` lists" in error.hint


def test_where_nothing_is_like_it_the_list_alone_is_named(house):
    house.keep_key(name="work")
    house.world.endpoints.scripted = [GPTS]

    error = house.models.explain(choose(house), "claude", UNKNOWN)

    assert str(error) == "claude is not among the models of work."
    assert error.nearest is None
    assert error.hint == "`doorkey models acme` lists what there is."


def test_a_model_that_is_listed_and_refused_is_remembered_for_a_day(house):
    house.keep(identity=an_identity(plan="pro"), payer=Payer.PLAN)
    house.world.endpoints.scripted = [GPTS] * 3

    error = house.models.explain(choose(house), "gpt-6-sol", UNKNOWN)
    told = house.new_models().of(choose(house))
    house.clock.sleep(REMEMBERED_FOR)
    later = house.models.of(choose(house))

    assert error.nearest == "acme:gpt-6-luna"
    assert told.refused == {"gpt-6-sol": "is not in your Pro plan"}
    assert "gpt-6-sol" in told.names
    assert later.refused == {}


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("gpt-6-sol", REFUSED, "misconfigured"),
        ("gpt-5", REFUSED, "model_refused"),
        ("gpt-5", UNKNOWN, "model_refused"),
        ("gpt-5", ProviderUnavailable("no way there"), "provider_unavailable"),
        ("gpt-5", OriginChanged("Another address."), "origin_changed"),
    ],
)
def test_only_what_is_about_the_model_is_explained(house, model, error, code):
    house.keep()
    house.world.endpoints.scripted = [GPTS]

    assert house.models.explain(choose(house), model, error).code == code


class BusyShelf:
    """Fill `ports.Preferences` while another program holds the database."""

    def get(self, name):
        raise StoreBusy("Another program holds it.")

    def set(self, name, value):
        raise StoreBusy("Another program holds it.")

    def remove(self, name):
        raise StoreBusy("Another program holds it.")
