from dataclasses import replace

import pytest

from doorkey.domain.provider import Api, Dialect, Kind
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured
from doorkey.providers.anthropic import ANTHROPIC
from doorkey.providers.dialects import ANTHROPIC_OAUTH_BETA, RULES, credential_headers, route_headers
from doorkey.providers.openai import API_KEY, CHATGPT, CODEX
from doorkey.testing.values import an_account, an_identity

PLAN_ROUTES = ("chatgpt-plan", "codex")
SECRET = Secret("the-token")
OPENAI = Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT)


@pytest.mark.parametrize("route", PLAN_ROUTES)
def test_a_plan_route_demands_a_stream_that_is_not_stored(route):
    shaped = RULES[route].shape({"model": "m", "store": True, "stream": True})

    assert shaped == {"model": "m", "store": False, "stream": True}


@pytest.mark.parametrize("route", PLAN_ROUTES)
@pytest.mark.parametrize("body", [{}, {"stream": False}, {"stream": None}])
def test_a_plan_route_refuses_to_answer_in_one_piece(route, body):
    with pytest.raises(Misconfigured, match="only streams"):
        RULES[route].shape({"model": "m"} | body)


@pytest.mark.parametrize("route", PLAN_ROUTES)
@pytest.mark.parametrize(
    "field",
    ["max_output_tokens", "max_tool_calls", "metadata", "moderation", "prompt_cache_retention", "safety_identifier",
     "temperature", "top_logprobs", "top_p", "truncation", "user"],
)  # fmt: skip
def test_a_plan_route_leaves_out_what_only_tunes_an_answer(route, field):
    assert field not in RULES[route].shape({"stream": True, field: 1})


@pytest.mark.parametrize("field", ["presence_penalty", "frequency_penalty", "seed", "service_tier", "stream_options"])
def test_codex_leaves_out_more(field):
    assert field not in RULES["codex"].shape({"stream": True, field: 1})
    assert field in RULES["chatgpt-plan"].shape({"stream": True, field: 1})


@pytest.mark.parametrize("route", PLAN_ROUTES)
@pytest.mark.parametrize("field", ["background", "conversation", "multi_agent", "previous_response_id", "prompt"])
def test_a_plan_route_refuses_what_would_change_the_meaning_and_names_it(route, field):
    with pytest.raises(Misconfigured, match=field):
        RULES[route].shape({"stream": True, field: "x"})

    assert field not in RULES[route].shape({"stream": True, field: None})


@pytest.mark.parametrize("route", PLAN_ROUTES)
def test_a_plan_route_takes_system_items_as_the_developers(route):
    items = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}, "odd"]
    body = {"stream": True, "input": items}

    shaped = RULES[route].shape(body)

    assert shaped["input"] == [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}, "odd"]
    assert body["input"][0]["role"] == "system"


@pytest.mark.parametrize("route", PLAN_ROUTES)
def test_a_plan_route_keeps_what_it_knows(route):
    body = {"model": "m", "input": "Hi", "instructions": "Be brief.", "tools": [{"name": "t"}], "stream": True}

    assert RULES[route].shape(body) == body | {"store": False}


def test_a_plain_route_takes_a_body_as_it_is():
    body = {"model": "m", "temperature": 0.5, "previous_response_id": "r", "input": [{"role": "system"}]}

    assert RULES["plain"].shape(body) == body


@pytest.mark.parametrize("dialect", [Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES])
@pytest.mark.parametrize("kind", [Kind.API_KEY, Kind.AUTHORIZATION_CODE, Kind.DEVICE_CODE])
def test_openais_dialects_take_every_credential_as_a_bearer(dialect, kind):
    headers = credential_headers(replace(OPENAI, dialect=dialect), kind, SECRET, {})

    assert headers == {"authorization": "Bearer the-token"}


def test_anthropic_takes_a_key_in_a_header_of_its_own():
    headers = credential_headers(ANTHROPIC.api, Kind.API_KEY, SECRET, {"anthropic-beta": "mine"})

    assert headers == {"x-api-key": "the-token"}


@pytest.mark.parametrize(
    ("present", "sent"),
    [
        ({}, ANTHROPIC_OAUTH_BETA),
        ({"anthropic-beta": ""}, ANTHROPIC_OAUTH_BETA),
        ({"anthropic-beta": "one, two"}, f"one,two,{ANTHROPIC_OAUTH_BETA}"),
        ({"anthropic-beta": f"{ANTHROPIC_OAUTH_BETA},one"}, f"{ANTHROPIC_OAUTH_BETA},one"),
    ],
)
def test_anthropic_takes_a_sign_in_as_a_bearer_and_the_requests_betas_are_kept(present, sent):
    headers = credential_headers(ANTHROPIC.api, Kind.AUTHORIZATION_CODE, SECRET, present)

    assert headers == {"authorization": "Bearer the-token", "anthropic-beta": sent}


def test_a_server_that_wants_no_credential_gets_none():
    assert credential_headers(OPENAI, Kind.NONE, Secret(""), {}) == {}


def test_codex_is_told_the_workspace_under_our_own_name():
    headers = route_headers(CODEX, an_account(identity=an_identity(workspace="ws-1")))

    assert headers == {"originator": "doorkey", "chatgpt-account-id": "ws-1"}


def test_codex_is_told_no_workspace_where_there_is_none():
    assert route_headers(CODEX, an_account(identity=an_identity(workspace=None))) == {"originator": "doorkey"}


@pytest.mark.parametrize("method", [CHATGPT, API_KEY, *ANTHROPIC.methods])
def test_no_other_route_is_told_anything(method):
    assert route_headers(method, an_account()) == {}
