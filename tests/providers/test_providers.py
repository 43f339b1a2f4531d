"""What every built-in provider must be, and what the design promises of each."""

from urllib.parse import urlsplit

import pytest

from doorkey.domain.policy import Storage, Use, Verdict
from doorkey.domain.provider import Kind, Payer, is_safe
from doorkey.providers import ALL
from doorkey.providers.anthropic import CLAUDE
from doorkey.providers.dialects import RULES
from doorkey.providers.local import LOCAL
from doorkey.providers.openai import CHATGPT, CODEX, OPENAI
from doorkey.providers.sandbox import SANDBOX

METHODS = [
    pytest.param(provider, method, id=f"{provider.id}-{method.id}") for provider in ALL for method in provider.methods
]
OURS = {"sandbox", *(provider.id for provider in LOCAL)}


def test_every_provider_and_method_has_an_id_of_its_own():
    ids = [(provider.id, method.id) for provider in ALL for method in provider.methods]

    assert len(set(ids)) == len(ids)
    assert len({provider.id for provider in ALL}) == len(ALL)


@pytest.mark.parametrize(("provider", "method"), METHODS)
def test_every_address_is_safe(provider, method):
    api = provider.api_for(method)
    addresses = (
        api.base_url,
        method.authorize_url,
        method.token_url,
        method.revoke_url,
        method.jwks_url,
        method.device_url,
        method.userinfo_url,
    )

    assert all(is_safe(address) for address in addresses if address)
    assert api.rules in RULES


@pytest.mark.parametrize(("provider", "method"), METHODS)
def test_every_policy_of_a_vendor_is_dated_and_has_its_page(provider, method):
    policy = method.policy

    assert policy.note
    assert provider.id in OURS or (policy.source and policy.read_on)


@pytest.mark.parametrize(("provider", "method"), METHODS)
def test_every_browser_sign_in_returns_to_this_machine(provider, method):
    if method.kind is Kind.AUTHORIZATION_CODE:
        assert urlsplit(method.redirect).hostname in {"127.0.0.1", "localhost"}


def test_sign_in_with_chatgpt_comes_first_and_stays_in_this_app():
    assert OPENAI.methods[0] is CHATGPT
    assert CHATGPT.registers
    assert CHATGPT.client_id is None
    assert (CHATGPT.policy.storage, CHATGPT.policy.use) == (Storage.LOCAL, Use.APP)
    assert CHATGPT.payer is Payer.PLAN


def test_codex_is_off_and_says_who_we_are():
    assert not CODEX.enabled
    assert CODEX.policy.verdict is Verdict.CONTESTED
    assert CODEX.authorize_extra["originator"] == "doorkey"
    assert CODEX.redirect.startswith("http://localhost:1455/")
    assert CODEX.fallback_ports == (1457,)


def test_claude_is_forbidden_and_ships_without_a_client_id():
    assert CLAUDE.client_id is None
    assert CLAUDE.policy.verdict is Verdict.FORBIDDEN
    assert CLAUDE.policy.needs_consent
    assert CLAUDE.state_in_token_body
    assert CLAUDE.token_body == "json"


@pytest.mark.parametrize("provider", LOCAL, ids=lambda provider: provider.id)
def test_a_server_on_this_machine_takes_no_credential_and_bills_nobody(provider):
    (method,) = provider.methods

    assert (method.kind, method.payer, provider.api.env) == (Kind.NONE, Payer.LOCAL, ())
    assert urlsplit(provider.api.base_url).hostname == "127.0.0.1"
    assert provider.signature


def test_the_practice_provider_lives_on_this_machine_and_costs_nothing():
    assert urlsplit(SANDBOX.api.base_url).hostname == "127.0.0.1"
    assert {method.payer for method in SANDBOX.methods} == {Payer.LOCAL}
