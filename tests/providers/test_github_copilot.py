"""GitHub Copilot: what a config makes of it, and what its service is told."""

import json

import pytest

from doorkey.domain.policy import Verdict
from doorkey.errors import Misconfigured, SignInNeeded
from doorkey.flows import wire
from doorkey.providers import ALL
from doorkey.providers.config import merge
from doorkey.providers.dialects import RULES, turn_headers
from doorkey.providers.github_copilot import DEVICE, GITHUB_COPILOT
from doorkey.providers.model_lists import read_page
from doorkey.providers.openai import OPENAI
from doorkey.service.ways import offered
from doorkey.testing.script import answer
from doorkey.testing.values import NOON

PLACE = "[providers.github-copilot.methods.device]\n"


def configured(text):
    merged = merge(PLACE + text, ALL)
    (provider,) = [provider for provider in merged.providers if provider.id == "github-copilot"]
    return provider, provider.method("device"), merged.problems


def test_no_client_id_is_shipped_so_it_is_offered_to_nobody():
    assert DEVICE.client_id is None
    assert DEVICE.policy.verdict is Verdict.ALLOWED
    assert offered(GITHUB_COPILOT) == []


def test_a_client_id_of_ones_own_switches_it_on():
    provider, method, problems = configured('client_id = "Ov23mine"')

    assert offered(provider) == [method]
    assert problems == ()


def test_a_companys_own_host_moves_every_address():
    provider, method, problems = configured('client_id = "Ov23mine"\nenterprise_host = "Acme.ghe.com"')

    assert problems == ()
    assert method.device_url == "https://acme.ghe.com/login/device/code"
    assert method.token_url == "https://acme.ghe.com/login/oauth/access_token"
    assert method.userinfo_url == "https://api.acme.ghe.com/user"
    assert method.issuer == "https://acme.ghe.com"
    assert provider.api_for(method).base_url == "https://copilot-api.acme.ghe.com"
    assert provider.api_for(method).rules == "copilot"


def test_an_address_that_is_named_as_well_stays():
    text = 'enterprise_host = "acme.ghe.com"\ntoken_url = "https://sso.acme.example/token"\n'

    provider, method, _ = configured(text + f'{PLACE[:-2]}.api]\nbase_url = "https://llm.acme.example"')

    assert method.token_url == "https://sso.acme.example/token"
    assert method.device_url == "https://acme.ghe.com/login/device/code"
    assert provider.api_for(method).base_url == "https://llm.acme.example"


@pytest.mark.parametrize(
    "host", ["https://acme.ghe.com", "acme", "a.com/x", "{host}", "evil.example@acme.ghe.com", "", " "]
)
def test_what_is_no_host_is_refused_and_moves_nothing(host):
    _, method, problems = configured(f"enterprise_host = '{host}'")

    assert method.device_url == DEVICE.device_url
    assert len(problems) == 1
    assert "enterprise_host" in problems[0]


def test_a_method_that_has_no_such_host_says_so():
    merged = merge('[providers.openai.methods.codex]\nenterprise_host = "acme.ghe.com"', ALL)

    (problem,) = merged.problems
    assert "is not used by this method" in problem


@pytest.mark.parametrize(
    ("messages", "initiator"),
    [
        ([{"role": "user", "content": "Hi"}], "user"),
        ([{"role": "user", "content": "Hi"}, {"role": "assistant"}, {"role": "tool", "content": "…"}], "agent"),
        (["odd"], "agent"),
    ],
)
def test_the_service_is_told_whether_a_person_asks_and_no_editors_name(messages, initiator):
    told = turn_headers(GITHUB_COPILOT.api, {"messages": messages})

    assert told == {"x-initiator": initiator}


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": "x"}])
def test_a_body_without_messages_tells_nothing(body):
    assert turn_headers(GITHUB_COPILOT.api, body) == {}


def test_no_other_service_is_told():
    assert turn_headers(OPENAI.api, {"messages": [{"role": "user"}]}) == {}


@pytest.mark.parametrize(
    ("error", "outcome"), [("bad_refresh_token", SignInNeeded), ("incorrect_client_credentials", Misconfigured)]
)
def test_githubs_words_for_the_end_of_a_grant_are_known(error, outcome):
    with pytest.raises(outcome):
        wire.read_tokens(answer(200, {"error": error}), NOON)


def test_a_model_that_is_served_in_another_way_only_is_named_with_that_reason():
    rows = [
        {"id": "chats", "supported_endpoints": ["/chat/completions", "/responses"]},
        {"id": "responds", "supported_endpoints": ["/responses"]},
        {"id": "tells-nothing"},
    ]

    page = read_page(json.dumps({"data": rows}).encode(), endpoint=RULES["copilot"].list_endpoint)
    elsewhere = read_page(json.dumps({"data": rows}).encode())

    assert page.names == ("chats", "tells-nothing")
    assert list(page.refused) == ["responds"]
    assert elsewhere.refused == {}
