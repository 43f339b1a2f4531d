"""Claude Pro or Max: only for whoever has a client id, by paste or by the listener, and never as somebody else."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from doorkey.testing.practice import approve, bring_back
from tests.journeys.configs import config
from tests.journeys.person import Login, sign_in

pytestmark = pytest.mark.slow

CLAUDE = ("anthropic", "--method", "claude")
CHAT = ("chat", "--model", "anthropic:practice-small")


@pytest.fixture
def claude(program, practice):
    """An installation whose person has a client id and has agreed."""
    program.configure(config(practice.url, claude=True))
    program.agree("method:anthropic:claude")
    return program


def shown_code(reply):
    """Read what the manual page shows to be copied."""
    return re.search(r"[\w-]{20,}#[\w-]{20,}", httpx2.get(reply).text)[0]


def method_of(program):
    (provider,) = [each for each in program.run("providers", "--json").json["providers"] if each["id"] == "anthropic"]
    (method,) = [each for each in provider["methods"] if each["id"] == "claude"]
    return method


def test_without_a_client_id_it_is_not_offered_and_nothing_is_asked(program):
    refused = program.run("login", *CLAUDE, "--json")

    method = method_of(program)
    assert (method["enabled"], method["needs_client_id"]) == (False, True)
    assert (refused.code, refused.json["error"]) == (1, "misconfigured")
    assert "client_id under [providers.anthropic.methods.claude]" in refused.json["hint"]


def test_with_a_client_id_the_notice_comes_first(program, practice):
    program.configure(config(practice.url, claude=True))

    refused = program.run("login", *CLAUDE, "--json")

    method = method_of(program)
    assert (method["enabled"], method["needs_client_id"], method["consent"]) == (True, False, False)
    assert method["policy"]["verdict"] == "forbidden"
    assert (refused.code, refused.json["error"]) == (5, "consent_needed")
    assert "Anthropic's terms keep this sign-in to Claude Code and claude.ai." in refused.err


def test_the_manual_page_is_pasted_and_named_in_both_places(claude, practice, wire):
    login = Login(claude, *CLAUDE, "--paste")

    ended = login.end(shown_code(approve(login.url)) + "\n")

    asked = parse_qs(urlsplit(login.url).query)
    (exchange,) = wire.to("/claude/token")
    manual = f"{practice.url}/oauth/code/callback"
    assert ended.code == 0, ended
    assert asked["redirect_uri"] == [login.begun["redirect"]] == [manual]
    assert exchange.json["redirect_uri"] == manual


def test_the_listener_takes_the_reply_and_is_named_in_both_places(claude, wire):
    login = Login(claude, *CLAUDE, "--no-browser")

    page = bring_back(approve(login.url))

    (exchange,) = wire.to("/claude/token")
    assert page.status_code == 200
    assert login.end().code == 0
    assert re.fullmatch(r"http://localhost:\d+/callback", login.begun["redirect"])
    assert exchange.json["redirect_uri"] == login.begun["redirect"]


def test_the_exchange_is_json_with_the_state_that_is_not_the_verifier(claude, wire):
    login = Login(claude, *CLAUDE, "--no-browser")

    bring_back(approve(login.url))
    login.end()

    (exchange,) = wire.to("/claude/token")
    assert exchange.headers["content-type"] == "application/json"
    assert exchange.json["state"] == parse_qs(urlsplit(login.url).query)["state"][0]
    assert exchange.json["state"] != exchange.json["code_verifier"]


def test_a_pasted_pair_with_another_state_is_refused_and_the_sign_in_goes_on(claude):
    login = Login(claude, *CLAUDE, "--paste")
    pair = shown_code(approve(login.url))
    code, _, _ = pair.partition("#")

    ended = login.end(f"{code}\n{code}#another\n{pair}\n")

    assert ended.code == 0
    assert ended.err.count("error: ") == 2
    assert code not in ended.err


def test_calls_prove_the_account_and_imitate_nobody(claude, wire):
    account = sign_in(claude, *CLAUDE)

    answer = claude.run(*CHAT, "who pays?")

    (call,) = wire.to("/v1/messages")
    assert answer.code == 0, answer
    assert account["payer"] == "plan"
    assert "by a Claude sign-in" in answer.out
    assert call.headers["authorization"].startswith("Bearer sandbox-oat-")
    assert "x-api-key" not in call.headers
    assert "oauth-2025-04-20" in call.headers["anthropic-beta"].split(",")
    assert "claude-code" not in call.headers["anthropic-beta"]
    assert call.headers["user-agent"].startswith("doorkey/")
    assert "x-app" not in call.headers
    assert "Claude Code" not in call.body.decode()


def test_it_tells_who_it_is_and_which_models_there_are(claude, wire):
    account = sign_in(claude, *CLAUDE)

    models = claude.run("models", "anthropic")

    (asked,) = wire.to("/v1/models")
    assert account["identity"] == "ada@practice.example"
    assert account["workspace"]
    assert models.out.split() == ["anthropic:practice-small", "anthropic:practice-large"]
    assert asked.query == {"limit": "1000"}
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert "oauth-2025-04-20" in asked.headers["anthropic-beta"]


def test_an_expired_token_is_renewed_as_json(claude, practice, wire):
    practice.sandbox._world.token_lifetime = 0
    sign_in(claude, *CLAUDE)
    practice.sandbox._world.token_lifetime = 3600

    token = claude.run("token", "anthropic")

    renewal = wire.to("/claude/token")[-1]
    assert token.out.startswith("sandbox-oat-")
    assert (renewal.json["grant_type"], renewal.json["client_id"]) == ("refresh_token", "practice-claude")


def test_it_has_no_place_to_be_revoked_and_says_so(claude):
    account = sign_in(claude, *CLAUDE)

    left = claude.run("logout", account["id"], "--revoke")

    assert left.code == 1
    assert "is forgotten here" in left.err
    assert "could not be confirmed" in left.err
    assert "https://claude.ai/settings/usage" in left.err
    assert claude.accounts() == []
