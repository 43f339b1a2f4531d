"""The contract of `doorkey login` and `doorkey logout`, as other programs rely on it."""

import socket

import httpx2
import pytest

from doorkey.testing.practice import approve, bring_back
from tests.journeys.person import Login, sign_in

pytestmark = pytest.mark.slow


def test_the_events_are_the_address_and_the_account(program):
    login = Login(program, "acme", "--no-browser")
    bring_back(approve(login.url))

    ended = login.end()

    (end,) = ended.events
    assert login.begun == {"event": "authorize", "url": login.url, "redirect": login.begun["redirect"]}
    assert login.begun["redirect"].startswith("http://127.0.0.1:")
    assert (end["event"], end["account"]["identity"]) == ("signed_in", "ada@practice.example")
    assert ended.code == 0


def test_a_pasted_line_serves_as_well_as_the_browser(program):
    login = Login(program, "acme", "--no-browser")

    ended = login.end(f"\n{approve(login.url)}\n")

    assert (ended.code, ended.events[-1]["event"]) == (0, "signed_in")


def test_the_end_of_stdin_leaves_the_listener_waiting(program):
    login = Login(program, "acme", "--no-browser")
    login.process.stdin.close()
    login.process.stdin = None

    bring_back(approve(login.url))

    assert login.end().code == 0


def test_the_end_of_stdin_ends_a_sign_in_by_paste(program):
    ended = Login(program, "acme", "--paste").end("")

    assert (ended.code, ended.events[-1]) == (
        1,
        {
            "event": "failed",
            "error": "sign_in_failed",
            "hint": "Start again, and paste the address after approving.",
        },
    )


def test_a_wrong_state_is_ignored_wherever_it_comes_from(program):
    login = Login(program, "acme", "--no-browser")
    reply = approve(login.url)
    state = httpx2.URL(reply).params["state"]
    redirect = login.begun["redirect"]

    foreign = bring_back(reply.replace(state, "another"))
    denied = bring_back(f"{redirect}?error=access_denied&state=another")
    bare = bring_back(redirect)
    login.paste(reply.replace(state, "pasted"))
    own = bring_back(reply)
    ended = login.end()

    assert "Not this sign-in" in foreign.text
    assert "Not this sign-in" in denied.text
    assert bare.status_code == 200
    assert "Signed in as" in own.text
    assert ended.code == 0


def test_a_reply_of_another_issuer_is_ignored(program, practice):
    login = Login(program, "acme", "--no-browser")
    reply = approve(login.url)

    foreign = bring_back(str(httpx2.URL(reply).copy_set_param("iss", "https://evil.example")))
    bring_back(reply)

    assert "Not this sign-in" in foreign.text
    assert login.end().code == 0
    assert practice.sandbox.log.count(action="authorization_code") == 1


def test_a_denied_consent_ends_it_as_failed(program):
    login = Login(program, "acme", "--no-browser")

    page = bring_back(approve(login.url, decision="deny"))
    ended = login.end()

    assert "was not approved" in page.text
    assert (ended.code, ended.events[-1]["event"], ended.events[-1]["error"]) == (1, "failed", "sign_in_failed")


def test_the_port_is_free_when_it_is_over(program):
    login = Login(program, "acme", "--no-browser")
    port = httpx2.URL(login.begun["redirect"]).port

    bring_back(approve(login.url))
    login.end()

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_signing_in_again_as_the_same_person_keeps_the_account(program):
    first = sign_in(program, "acme")

    again = sign_in(program, "acme")

    assert again["id"] == first["id"]
    assert len(program.accounts()) == 1


def test_a_reconnect_as_somebody_else_is_refused(program):
    account = sign_in(program, "acme")
    login = Login(program, "acme", "--account", account["id"], "--no-browser")

    bring_back(approve(login.url, person="practice-grace"))
    ended = login.end()

    assert (ended.code, ended.events[-1]["error"]) == (5, "consent_needed")
    assert [each["identity"] for each in program.accounts()] == ["ada@practice.example"]


def test_a_key_is_read_from_stdin_and_never_shown(program, practice):
    key = practice.sandbox.make_key()

    kept = program.run("login", "acme", "--method", "api-key", "--name", "work", "--json", stdin=f"{key}\n")
    token = program.run("token", "acme", "--account", "work")

    assert (kept.code, kept.json["event"], kept.json["account"]["name"]) == (0, "signed_in", "work")
    assert key not in kept.out + kept.err
    assert token.out == f"{key}\n"


def test_the_provider_may_be_away_when_an_account_is_revoked(program, practice):
    account = sign_in(program, "acme")
    practice.stop()

    left = program.run("logout", account["id"], "--revoke")

    assert left.code == 4
    assert "is forgotten here" in left.err
    assert "could not be confirmed" in left.err
    assert program.accounts() == []


def test_forgetting_without_revoking_says_what_it_does_not_reach(program, practice):
    account = sign_in(program, "acme")

    left = program.run("logout", account["id"])

    assert left.code == 0
    assert "acme was not told" in left.err
    assert practice.sandbox.log.count(action="revoke") == 0


def test_nobody_listens_to_a_page_of_the_web(program):
    login = Login(program, "acme", "--no-browser")
    redirect = httpx2.URL(login.begun["redirect"])

    rebound = httpx2.get(redirect, headers={"host": "evil.example"})
    posted = httpx2.post(redirect, data={"code": "x", "state": "y"})
    login.process.kill()

    assert (rebound.status_code, posted.status_code) == (404, 405)
    login.end()
