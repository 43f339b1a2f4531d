from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import Identity
from doorkey.domain.secret import Secret
from doorkey.errors import SignInFailed
from doorkey.flows.identity import LEEWAY, OPENAI_AUTH, check_claims, read
from doorkey.testing.script import ISSUER, METHOD
from doorkey.testing.values import NOON

NONCE = Secret("the-nonce")
CLAIMS = {
    "iss": ISSUER,
    "aud": "client-1",
    "exp": (NOON + timedelta(minutes=5)).timestamp(),
    "nonce": "the-nonce",
    "sub": "subject-1",
}


def check(**changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    check_claims(claims, METHOD, "client-1", NONCE, NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["client-1"]},
        {"aud": ["client-1", "another"], "azp": "client-1"},
        {"azp": "client-1"},
        {"exp": (NOON - LEEWAY + timedelta(seconds=1)).timestamp()},
    ],
)
def test_claims_that_are_meant_for_this_sign_in_pass(changes):
    check(**changes)


@pytest.mark.parametrize(
    ("wrong", "changes"),
    [
        ("issuer", {"iss": "https://other.example"}),
        ("issuer", {"iss": f"{ISSUER}/"}),
        ("issuer", {"iss": None}),
        ("audience", {"aud": "another"}),
        ("audience", {"aud": None}),
        ("audience", {"aud": []}),
        ("audience", {"aud": ["client-1", "another"]}),
        ("audience", {"aud": {"client-1": True}}),
        ("authorized party", {"azp": "another"}),
        ("authorized party", {"aud": ["client-1", "another"], "azp": "another"}),
        ("lifetime", {"exp": (NOON - LEEWAY).timestamp()}),
        ("lifetime", {"exp": None}),
        ("lifetime", {"exp": "1893499200"}),
        ("lifetime", {"exp": float("nan")}),
        ("nonce", {"nonce": "another"}),
        ("nonce", {"nonce": None}),
        ("nonce", {"nonce": 7}),
        ("nonce", {"nonce": "\ud800"}),
        ("subject", {"sub": None}),
        ("subject", {"sub": ""}),
        ("subject", {"sub": 7}),
    ],
)
def test_claims_that_are_not_meant_for_this_sign_in_end_it(wrong, changes):
    with pytest.raises(SignInFailed, match=f"wrong {wrong}"):
        check(**changes)


def test_claims_without_a_configured_issuer_bind_nobody():
    with pytest.raises(SignInFailed, match="issuer"):
        check_claims(CLAIMS, replace(METHOD, issuer=None), "client-1", NONCE, NOON)


def test_an_identity_is_read_from_openid_claims():
    who = read(METHOD, "client-1", CLAIMS | {"email": "ada@example.com", "name": "Ada"}, {})

    assert who == Identity(
        issuer=ISSUER, client_id="client-1", subject="subject-1", email="ada@example.com", name="Ada"
    )


@pytest.mark.parametrize(
    ("claims", "label"),
    [
        ({"sub": "s", "name": "Ada", "preferred_username": "ada"}, "Ada"),
        ({"sub": "s", "preferred_username": "ada"}, "ada"),
        ({"sub": "s"}, "s"),
    ],
)
def test_an_issuer_that_tells_no_mail_is_recognised_by_the_name_it_tells(claims, label):
    assert read(METHOD, "client-1", CLAIMS | claims, {}).label == label


def test_openais_claims_tell_plan_and_workspace():
    openai = {
        "chatgpt_account_id": "ws-1",
        "chatgpt_plan_type": "plus",
        "organizations": [{"id": "ws-0", "title": "Other"}, "rubbish", {"id": "ws-1", "title": "Lab"}],
    }

    who = read(METHOD, "client-1", CLAIMS | {OPENAI_AUTH: openai}, {})

    assert (who.workspace, who.plan, who.workspace_name) == ("ws-1", "plus", "Lab")


def test_anthropics_token_answer_names_account_and_organization():
    method = replace(METHOD, issuer=None)
    body = {
        "account": {"uuid": "acc-1", "email_address": "ada@example.com"},
        "organization": {"uuid": "org-1", "name": "Lab"},
    }

    who = read(method, "client-1", {}, body)

    assert who == Identity(
        issuer=method.token_url,
        client_id="client-1",
        subject="acc-1",
        workspace="org-1",
        email="ada@example.com",
        workspace_name="Lab",
    )


def test_an_answer_that_names_nobody_is_an_identity_without_a_subject():
    who = read(METHOD, "client-1", {}, {"account": "rubbish", "organization": [], "user_id": 7})

    assert (who.subject, who.workspace, who.label) == (None, None, None)


def test_what_a_provider_names_itself_neither_drives_a_terminal_nor_breaks_a_page():
    wild = {"email": "\x1b]0;title\x07ada@example.com", "name": "\ud800Ada", "sub": "\u202etcejbus"}

    who = read(METHOD, "client-1", CLAIMS | wild, {})

    mark = "\N{REPLACEMENT CHARACTER}"
    assert (who.email, who.name, who.subject) == (
        f"{mark}]0;title{mark}ada@example.com",
        f"{mark}Ada",
        f"{mark}tcejbus",
    )


@pytest.mark.parametrize(
    "openai", ["rubbish", {"organizations": "rubbish"}, {"organizations": [{}], "chatgpt_account_id": 7}]
)
def test_claims_in_an_unknown_shape_are_left_out(openai):
    who = read(METHOD, "client-1", CLAIMS | {OPENAI_AUTH: openai, "email": 7}, {})

    assert who == Identity(issuer=ISSUER, client_id="client-1", subject="subject-1")
