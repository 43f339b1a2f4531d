"""OpenRouter: no client id and no state; a random path says which sign-in came back, and a lasting key comes of it."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from doorkey.testing.practice import approve, bring_back
from tests.journeys.person import Login, sign_in

pytestmark = pytest.mark.slow

KEYS = "/api/v1/auth/keys"
KEYS_PAGE = "https://openrouter.ai/settings/keys"


def callback(login):
    return parse_qs(urlsplit(login.url).query)["callback_url"][0]


def test_a_sign_in_sends_no_client_and_no_state_and_keeps_a_key(program, wire):
    account = sign_in(program, "openrouter")

    token = program.run("token", "openrouter", "--json")
    answer = program.run("chat", "--model", "openrouter:practice-small", "who pays?")

    (asked,) = wire.to("/auth")
    (exchange,) = wire.to(KEYS)
    assert set(asked.query) == {"callback_url", "code_challenge", "code_challenge_method"}
    assert set(exchange.json) == {"code", "code_verifier", "code_challenge_method"}
    assert (account["payer"], account["state"], account["expires_at"]) == ("metered", "ready", None)
    assert account["identity"].startswith("user_")
    assert token.json["token"] == json.loads(exchange.answer)["key"]
    assert token.json["expires_at"] is None
    assert "by a key that a sign-in gave" in answer.out


def test_each_sign_in_has_a_path_of_its_own_and_no_other_is_answered(program, practice):
    login, other = Login(program, "openrouter", "--no-browser"), Login(program, "openrouter", "--no-browser")
    mine, theirs = urlsplit(callback(login)), urlsplit(callback(other))
    place = f"{mine.scheme}://{mine.netloc}"
    code = parse_qs(urlsplit(approve(login.url)).query)["code"][0]

    strangers = [
        httpx2.get(f"{place}{path}?code={code}").status_code
        for path in ("/", "/callback", f"{mine.path}/", theirs.path, mine.path[:-1])
    ]
    at_home = httpx2.get(f"{place}{mine.path}?code={code}")

    assert len(mine.path.removeprefix("/callback/")) == 43
    assert strangers == [404] * 5
    assert "Signed in as" in at_home.text
    assert login.end().code == 0
    other.process.kill()
    other.process.communicate()


def test_the_address_can_be_pasted_and_its_path_is_the_check(program):
    login = Login(program, "openrouter", "--paste")
    reply = approve(login.url)
    code = parse_qs(urlsplit(reply).query)["code"][0]
    path = urlsplit(reply).path
    wrong = reply.replace(path, path[:-3] + "abc")

    ended = login.end(f"{code}\n{wrong}\ncode={code}\n{reply}\n")

    assert ended.code == 0
    assert ended.events[-1]["account"]["state"] == "ready"
    assert ended.err.count("belongs to another sign-in") == 1
    assert ended.err.count("not the address of an approved sign-in") == 2


def test_signing_in_again_replaces_the_key_of_the_same_person(program, practice):
    first = sign_in(program, "openrouter")

    again = sign_in(program, "openrouter")
    another = sign_in(program, "openrouter", person="practice-grace")

    assert again["id"] == first["id"]
    assert another["id"] != first["id"]


def test_a_denial_ends_it(program):
    login = Login(program, "openrouter", "--no-browser")

    bring_back(approve(login.url, decision="deny"))
    ended = login.end()

    assert (ended.code, ended.events[-1]["error"]) == (1, "sign_in_failed")
    assert "press Allow" in ended.events[-1]["hint"]


def test_a_code_that_is_refused_ends_it(program, practice):
    login = Login(program, "openrouter", "--no-browser")
    reply = approve(login.url)
    code = parse_qs(urlsplit(reply).query)["code"][0]
    spent = {"code": code, "code_verifier": "another", "code_challenge_method": "S256"}
    httpx2.post(f"{practice.url}{KEYS}", json=spent)

    page = bring_back(reply)
    ended = login.end()

    assert "The provider refused the code." in page.text
    assert (ended.code, ended.events[-1]["error"]) == (1, "sign_in_failed")
    assert program.accounts() == []


def test_a_key_that_was_deleted_there_asks_for_a_new_sign_in(program, practice):
    sign_in(program, "openrouter")
    practice.sandbox.faults.add("revoked_grant", endpoint="model")

    answer = program.run("chat", "--model", "openrouter:practice-small", "hello")

    assert answer.code == 3
    assert program.accounts()[0]["state"] == "sign_in_needed"


def test_a_key_is_ended_on_the_page_of_keys(program):
    account = sign_in(program, "openrouter")

    left = program.run("logout", account["id"], "--revoke")

    assert left.code == 1
    assert "A key is ended on the provider's own page." in left.err
    assert f"End it at {KEYS_PAGE}." in left.err
    assert program.accounts() == []


def test_a_key_from_the_environment_serves_too(program, practice):
    key = practice.sandbox.make_key()

    token = program.run("token", "openrouter", "--json", OPENROUTER_API_KEY=key)

    assert token.json == {"token": key, "expires_at": None, "account": None, "payer": "metered"}
