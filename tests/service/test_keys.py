"""Keeping keys: what can be one, what a provider says of it, and what is kept without being tried."""

import json
from dataclasses import replace

import pytest

from doorkey.domain.account import Proof
from doorkey.domain.provider import Kind, Payer
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, Misconfigured, ProviderUnavailable, SignInFailed
from doorkey.service.keys import is_plausible_key
from doorkey.testing.script import answer
from doorkey.testing.values import NOON
from tests.service.fakes import ACME, OAUTH


def test_a_key_is_kept_as_an_account(house):
    account = house.keys.keep("acme", None, Secret("  sk-1\n"), name="work")

    assert house.world.stands(account.id).tokens.access == Secret("sk-1")
    assert (account.method, account.name, account.payer, account.renews) == ("api-key", "work", Payer.METERED, False)
    assert account.expires_at is None
    assert account.origins.token is None


def test_a_key_without_a_name_replaces_the_unnamed_one(house):
    first = house.keys.keep("acme", None, Secret("sk-1"), name=None)
    named = house.keys.keep("acme", None, Secret("sk-2"), name="work")
    again = house.keys.keep("acme", None, Secret("sk-3"), name=None)

    assert again.id == first.id != named.id
    assert house.world.stands(first.id).tokens.access == Secret("sk-3")


@pytest.mark.parametrize("text", [None, "", "  ", "two words", "sk-\u00e9", "line\nline", "x" * 5000])
def test_what_can_be_no_key_is_not_kept(house, text):
    with pytest.raises(SignInFailed):
        house.keys.keep("acme", None, Secret(text) if text is not None else None, name=None)

    assert house.book.all() == []


def test_a_server_that_wants_no_credential_becomes_an_account_too(house):
    account = house.keys.keep("local", None, None, name=None)

    assert (account.method, account.payer) == ("none", Payer.LOCAL)
    assert house.world.stands(account.id).tokens.access == Secret("")


def test_a_browser_sign_in_takes_no_key(house):
    with pytest.raises(Misconfigured):
        house.keys.keep("acme", "oauth", Secret("sk-1"), name=None)


def test_a_vendors_profile_is_kept_by_its_name_without_its_token(house):
    house.catalog.providers = (replace(ACME, methods=(replace(OAUTH, id="console", kind=Kind.PROFILE),)),)

    account = house.keys.keep("acme", "console", None, name=None)

    assert account.identity.subject == "default"
    assert house.world.stands(account.id).tokens.access == Secret("")


@pytest.mark.parametrize(
    ("text", "plausible"), [("sk-1", True), ("x" * 4096, True), ("x" * 4097, False), ("a b", False)]
)
def test_a_key_is_one_line_of_visible_letters(text, plausible):
    assert is_plausible_key(text) is plausible


def test_a_key_is_tried_with_the_model_list_first(house):
    account = house.keys.keep("acme", None, Secret("sk-1"), name=None)

    (asked,) = house.world.endpoints.requests
    assert (asked.method, asked.url) == ("GET", "https://api.example/v1/models")
    assert asked.headers["authorization"] == Secret("Bearer sk-1")
    assert account.standing.proof == Proof(NOON, "key check")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_the_provider_refuses_is_not_kept(house, status):
    house.world.endpoints.scripted.append(answer(status))

    with pytest.raises(SignInFailed, match="does not accept this key") as caught:
        house.keys.keep("acme", None, Secret("sk-1"), name=None)

    assert "sk-1" not in f"{caught.value} {caught.value.hint}"
    assert house.book.all() == []


def test_google_says_with_status_400_that_a_key_is_none(house):
    error = {"code": 400, "message": "Not valid.", "details": [{"reason": "API_KEY_INVALID"}]}
    house.world.endpoints.scripted.append(answer(400, json.dumps([{"error": error}]).encode()))

    with pytest.raises(SignInFailed, match="does not accept this key"):
        house.keys.keep("acme", None, Secret("sk-1"), name=None)


def test_a_key_is_tried_where_nobody_is_answered_without_one(house):
    house.catalog.providers = (replace(ACME, api=replace(ACME.api, key_path="/key")),)

    house.keys.keep("acme", None, Secret("sk-1"), name=None)

    assert [request.url for request in house.world.endpoints.requests] == ["https://api.example/v1/key"]


@pytest.mark.parametrize("fault", [ProviderUnavailable("no way"), answer(503), answer(404), answer(429)])
def test_an_answer_about_anything_else_is_no_judgement_of_the_key(house, fault):
    house.world.endpoints.scripted.append(fault)

    account = house.keys.keep("acme", None, Secret("sk-1"), name=None)

    assert account.standing.proof is None


def test_a_key_is_kept_untried_where_that_is_asked_for(house):
    account = house.keys.keep("acme", None, Secret("sk-1"), name=None, check=False)

    assert account.standing.proof is None
    assert house.world.endpoints.requests == []


def test_a_key_goes_nowhere_while_the_vault_does_not_open(house):
    house.key_readable = False

    with pytest.raises(KeyUnreadable):
        house.keys.keep("acme", None, Secret("sk-1"), name=None)

    assert house.world.endpoints.requests == []
