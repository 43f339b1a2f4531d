"""Sign in with ChatGPT, plan use: registration, the ID token, whose plan pays, and what its terms keep others from."""

import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from doorkey.flows.pkce import urlsafe
from doorkey.sandbox.idtoken import Signer
from doorkey.testing.practice import ADA, ALAN, GRACE, approve, bring_back
from tests.journeys.configs import config
from tests.journeys.person import AGREE, Login, sign_in

pytestmark = pytest.mark.slow

CHAT = ("chat", "--model", "openai:practice-small")


def asked(login):
    return {name: values[0] for name, values in parse_qs(urlsplit(login.url).query).items()}


def registered_as(program, account):
    with program.house() as house:
        return house.services.book.find(account["id"]).identity.client_id


def test_the_first_sign_in_registers_this_installation(program, practice):
    login = Login(program, "openai", "--no-browser")

    reply = approve(login.url)
    bring_back(reply)
    account = login.end().events[-1]["account"]

    issued = parse_qs(urlsplit(reply).query)["client_id"][0]
    first = asked(login)
    assert first["client_id"] == "dynamic_agent_client"
    assert first["agent_name_hint"] == "Doorkey"
    assert first["redirect_uri"].startswith("http://127.0.0.1:")
    assert issued.startswith("oaiapp_")
    assert registered_as(program, account) == issued
    assert practice.sandbox.log.count(action="authorization_code", client=issued, outcome="ok") == 1


def test_the_account_tells_who_pays_by_which_plan(program):
    account = sign_in(program, "openai", person=GRACE)

    assert account["identity"] == "grace@practice.example"
    assert (account["plan"], account["workspace"], account["payer"]) == ("pro", "Grace's own", "plan")
    assert account["state"] == "ready"


def test_a_reconnect_sends_the_issued_client_and_the_same_host(program):
    first = Login(program, "openai", "--no-browser")
    bring_back(approve(first.url))
    account = first.end().events[-1]["account"]
    issued = registered_as(program, account)

    again = Login(program, "openai", "--account", account["id"], "--no-browser")
    bring_back(approve(again.url))
    same = again.end().events[-1]["account"]

    assert asked(again)["client_id"] == issued
    assert "agent_name_hint" not in asked(again)
    assert asked(again)["ext_agent_host_id"] == asked(first)["ext_agent_host_id"]
    assert same["id"] == account["id"]
    assert len(program.accounts()) == 1


def test_two_people_have_two_registrations_of_one_host(program):
    logins = []
    for person in (ADA, GRACE):
        login = Login(program, "openai", "--no-browser")
        bring_back(approve(login.url, person=person))
        logins.append(login)
        assert login.end().code == 0

    hosts = {asked(login)["ext_agent_host_id"] for login in logins}
    assert len(hosts) == 1
    assert hosts.pop().startswith("urn:uuid:")
    assert len({registered_as(program, account) for account in program.accounts()}) == 2


def test_a_chat_keeps_the_rules_of_the_plan_route(program, practice):
    sign_in(program, "openai")

    answer = program.run(*CHAT, "who pays?")

    # The practice provider refuses by name every field that the route does not take, and any `store`.
    assert answer.code == 0, answer
    assert "Their Plus plan pays" in answer.out
    assert "ada@practice.example · plan pays" in answer.err
    assert practice.sandbox.log.count(endpoint="/v1/responses", credential="access_token", outcome="ok") == 1


def test_the_models_are_those_that_the_plan_shows(program):
    sign_in(program, "openai")

    assert program.run("models", "openai").out.split() == ["openai:practice-small", "openai:practice-large"]


def test_a_model_that_the_plan_does_not_have_is_explained_with_the_nearest(program, practice):
    sign_in(program, "openai")

    answer = program.run("chat", "--model", "openai:practice-smal", "hello")

    assert answer.code == 1
    assert "practice-smal is not in your Plus plan." in answer.err
    assert "The nearest that is there is openai:practice-small; `doorkey models openai` lists" in answer.err
    assert practice.sandbox.log.count(action="responses", outcome="ok") == 0


@pytest.mark.parametrize(("person", "plan_use"), [(ALAN, "on"), (ADA, "")])
def test_a_plan_that_is_not_shared_leaves_the_identity_and_nothing_more(program, practice, person, plan_use):
    account = sign_in(program, "openai", person=person, plan_use=plan_use)

    answer = program.run(*CHAT, "hello")

    assert (account["state"], account["reason"]) == ("blocked", "this sign-in does not include the use of the plan")
    assert answer.code == 5
    assert f"{account['identity']} is signed in, but this sign-in does not include the use of the plan." in answer.err
    assert practice.sandbox.log.count(endpoint="/v1/responses") == 0


def test_a_plan_that_is_shared_later_opens_the_account(program):
    account = sign_in(program, "openai", plan_use="")

    again = sign_in(program, "openai", "--account", account["id"])

    assert (again["id"], again["state"]) == (account["id"], "ready")
    assert program.run(*CHAT, "who pays?").code == 0


def test_other_programs_are_refused_by_the_terms(program):
    sign_in(program, "openai")

    token = program.run("token", "openai")
    library = program.python("import doorkey\nwith doorkey.open() as keys: keys.token_source('openai')")

    assert (token.code, token.out) == (5, "")
    assert "allow_outside_app" in token.err
    assert "PolicyRefused" in library.err


def test_the_config_alone_does_not_open_it_to_other_programs(program, practice):
    sign_in(program, "openai")
    program.configure(config(practice.url, outside=True))

    refused = program.run("token", "openai", "--json")
    agreed = program.at_terminal("token", "openai", answers={AGREE: "y"})
    later = program.run("token", "openai")

    assert (refused.code, refused.json["error"], refused.json["consent"]) == (
        5,
        "consent_needed",
        "outside:openai:chatgpt",
    )
    assert agreed.code == later.code == 0
    assert agreed.out == later.out
    assert later.out.startswith("sandbox-pat-")


def test_an_expired_token_is_renewed_for_the_same_resource(program, practice):
    practice.sandbox._world.token_lifetime = 0
    sign_in(program, "openai")
    practice.sandbox._world.token_lifetime = 3600

    answer = program.run(*CHAT, "who pays?")

    assert answer.code == 0, answer
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1


def test_a_used_up_plan_stops_with_the_reason_and_nobody_else_pays(program, practice):
    sign_in(program, "openai")
    practice.sandbox.faults.add("limit_without_reset", endpoint="model")

    answer = program.run(*CHAT, "hello", OPENAI_API_KEY="sk-never-used")

    assert answer.code == 7
    assert "used up" in answer.err
    assert practice.sandbox.log.count(endpoint="/v1/responses") == 1
    assert program.accounts()[0]["state"] == "over_limit"


def test_revoking_ends_the_sign_in_there_and_here(program, practice):
    account = sign_in(program, "openai")

    left = program.run("logout", account["id"], "--revoke")

    assert left.code == 0
    assert practice.sandbox.log.count(action="revoke", account="Ada Lovelace", outcome="ok") == 1
    assert program.accounts() == []


class Forger(Signer):
    """Signs ID tokens that were changed on the way."""

    def __init__(self, honest: Signer, forge: Callable[[dict[str, Any], ECKey], str]) -> None:
        self._key, self._issuer = honest._key, honest._issuer
        self._forge = forge

    def _sign(self, claims: dict[str, Any]) -> str:
        return self._forge(claims, self._key)


def signed(**changes):
    def forge(claims, key):
        kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": key.kid}, kept, key)

    return forge


def by_another_key(claims, key):
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, ECKey.generate_key("P-256"))


def by_the_public_key_as_a_secret(claims, key):
    return by_hand({"alg": "HS256", "kid": key.kid}, claims, key.as_pem(private=False))


def by_nobody(claims, key):
    return by_hand({"alg": "none"}, claims, None)


def by_hand(header, claims, secret):
    """Sign with what no library agrees to sign with."""
    content = ".".join(urlsafe(json.dumps(part).encode()) for part in (header, claims))
    proof = hmac.digest(secret, content.encode(), "sha256") if secret else b""
    return f"{content}.{urlsafe(proof)}"


def garbled(claims, key):
    return "not-a-token"


FORGERIES = {
    "another issuer": signed(iss="https://evil.example"),
    "another client": signed(aud=["somebody-else"]),
    "several clients and no authorized one": signed(aud=["somebody-else", "another"], azp=None),
    "another authorized client": signed(azp="somebody-else"),
    "another sign-in": signed(nonce="replayed"),
    "no sign-in at all": signed(nonce=None),
    "an hour ago": signed(exp=1_000_000_000),
    "no end": signed(exp=None),
    "nobody": signed(sub=None),
    "another key": by_another_key,
    "the public key": by_the_public_key_as_a_secret,
    "no key": by_nobody,
    "no token": garbled,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_proof_of_identity_is_refused(program, practice, forge):
    practice.sandbox._world.signer = Forger(practice.sandbox._world.signer, forge)
    login = Login(program, "openai", "--no-browser")

    page = bring_back(approve(login.url))
    ended = login.end()

    assert (ended.code, ended.events[-1]["event"], ended.events[-1]["error"]) == (1, "failed", "sign_in_failed")
    assert "Not signed in" in page.text
    assert program.accounts() == []
