"""Codex's way: off until the config says otherwise, on the ports that are registered for it, under our own name."""

import fcntl
import re
import socket
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from doorkey.sandbox.usage import Used
from doorkey.testing.practice import GRACE, approve, bring_back
from tests.journeys.configs import config
from tests.journeys.person import AGREE, Login, sign_in

pytestmark = pytest.mark.slow

CODEX = ("openai", "--method", "codex")
CHAT = ("chat", "--model", "openai:practice-small")


@pytest.fixture(autouse=True)
def registered_ports():
    """Hold the two ports for one test at a time, whichever process runs it: they are fixed at the provider."""
    with Path(tempfile.gettempdir(), "doorkey-codex-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def codex(program, practice):
    """An installation whose person has switched it on and agreed."""
    program.configure(config(practice.url, codex=True))
    program.agree("method:openai:codex")
    return program


@contextmanager
def holding(*ports):
    with ExitStack() as held:
        for port in ports:
            holder = held.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", port))
            holder.listen()
        yield


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def address_in(shown):
    return re.search(r"https?://\S+", shown[shown.index("Open this address") :])[0]


def test_it_is_off_and_says_which_line_switches_it_on(program):
    refused = program.run("login", *CODEX, "--json")

    assert (refused.code, refused.json["error"]) == (5, "policy_refused")
    assert refused.json["hint"] == "Set enabled = true under [providers.openai.methods.codex] in config.toml."


def test_switched_on_it_still_wants_a_yes(program, practice):
    program.configure(config(practice.url, codex=True))

    unasked = program.run("login", *CODEX, "--json")
    declined = program.at_terminal("login", *CODEX, answers={AGREE: "n"})

    assert (unasked.code, unasked.json["error"], unasked.json["event"]) == (5, "consent_needed", "failed")
    assert declined.code == 5
    assert "contested, as read on 2026-08-31 at https://" in declined.err
    assert "Open this address" not in declined.err


def test_a_yes_at_the_terminal_leads_on_to_the_sign_in(program, practice):
    program.configure(config(practice.url, codex=True))

    ended = program.at_terminal(
        "login", *CODEX, answers={AGREE: "y", "No browser could": lambda shown: approve(address_in(shown))}
    )

    assert ended.code == 0, ended
    assert "Signed in as ada@practice.example (plus, Ada's own)" in " ".join(ended.err.split())


def test_it_listens_where_the_redirect_is_registered(codex):
    login = Login(codex, *CODEX, "--no-browser")

    asked = parse_qs(urlsplit(login.url).query)
    page = bring_back(approve(login.url, person=GRACE))

    assert asked["redirect_uri"] == [login.begun["redirect"]] == ["http://localhost:1455/auth/callback"]
    assert asked["originator"] == ["doorkey"]
    assert page.status_code == 200
    assert login.end().events[-1]["account"]["identity"] == "grace@practice.example"


@pytest.mark.parametrize("host", ["127.0.0.1", *(["[::1]"] if has_ipv6() else [])])
def test_localhost_is_answered_in_each_address_family(codex, host):
    login = Login(codex, *CODEX, "--no-browser")
    reply = approve(login.url).replace("//localhost:1455", f"//{host}:1455")

    page = bring_back_as_localhost(reply)

    assert page.status_code == 200
    assert login.end().code == 0


def bring_back_as_localhost(reply):
    import httpx2

    return httpx2.get(reply, headers={"host": "localhost:1455"}, timeout=30)


def test_a_busy_port_leads_to_the_other_registered_one(codex):
    with holding(1455):
        login = Login(codex, *CODEX, "--no-browser")
        bring_back(approve(login.url))
        ended = login.end()

    assert login.begun["redirect"] == "http://localhost:1457/auth/callback"
    assert ended.code == 0


def test_two_busy_ports_leave_the_paste(codex):
    with holding(1455, 1457):
        login = Login(codex, *CODEX, "--no-browser")
        ended = login.end(approve(login.url) + "\n")

    assert login.begun["redirect"] == "http://localhost:1455/auth/callback"
    assert "Another program holds the port" in ended.err
    assert "paste the address of the page that you land on" in ended.err
    assert ended.code == 0


def test_two_busy_ports_and_no_more_input_end_the_sign_in(codex):
    with holding(1455, 1457):
        ended = Login(codex, *CODEX, "--no-browser").end("")

    assert (ended.code, ended.events[-1]["event"]) == (1, "failed")


def test_a_chat_goes_to_codex_with_our_own_name_and_its_body_rules(codex, wire):
    sign_in(codex, *CODEX)

    answer = codex.run(*CHAT, "who pays?")

    (call,) = wire.to("/backend-api/codex/responses")
    assert answer.code == 0, answer
    assert "by a Codex sign-in" in answer.out
    assert call.headers["originator"] == "doorkey"
    assert call.headers["user-agent"].startswith("doorkey/")
    assert call.headers["chatgpt-account-id"]
    assert (call.json["store"], call.json["stream"]) == (False, True)
    assert not {"temperature", "max_output_tokens", "metadata", "previous_response_id"} & set(call.json)


def test_its_models_are_asked_at_the_level_that_we_speak(codex, wire):
    sign_in(codex, *CODEX)

    listed = codex.run("models", "openai")

    (asked,) = wire.to("/backend-api/codex/models")
    assert listed.out.split() == ["openai:practice-small", "openai:practice-large"]
    assert asked.query["client_version"]


def test_renewal_and_revocation_speak_its_dialect(codex, practice, wire):
    practice.sandbox._world.token_lifetime = 0
    account = sign_in(codex, *CODEX)
    practice.sandbox._world.token_lifetime = 3600

    token = codex.run("token", "openai")
    left = codex.run("logout", account["id"], "--revoke")

    (ended,) = wire.to("/oauth/revoke")
    assert token.code == left.code == 0
    assert [exchange.form["grant_type"] for exchange in wire.to("/oauth/token")] == [
        "authorization_code",
        "refresh_token",
    ]
    assert (ended.json["client_id"], ended.json["token_type_hint"]) == ("practice-codex", "refresh_token")


def test_how_much_is_used_comes_from_its_page_and_then_from_answers(codex, practice, wire):
    sign_in(codex, *CODEX)
    practice.sandbox.meter.set(Used(12, 34))

    (before,) = codex.run("usage", "--json").json["accounts"]
    practice.sandbox.meter.set(Used(85, 34))
    assert codex.run(*CHAT, "Hello").code == 0
    (after,) = codex.run("usage", "--json").json["accounts"]

    assert [(each["name"], each["used_percent"], each["source"]) for each in before["windows"]] == [
        ("5 hours", 12.0, "page"),
        ("7 days", 34.0, "page"),
    ]
    assert after["windows"][0]["used_percent"] == 85.0
    (asked,) = wire.to("/backend-api/wham/usage")
    assert asked.headers["originator"] == "doorkey"


def test_a_login_that_was_left_waiting_gives_its_port_up_to_the_next_one(codex):
    forgotten = Login(codex, *CODEX, "--no-browser")

    account = sign_in(codex, *CODEX)

    ended = forgotten.end()
    assert forgotten.begun["redirect"] == "http://localhost:1455/auth/callback"
    assert (ended.code, ended.events[-1]["error"]) == (1, "sign_in_failed")
    assert "Another sign-in has taken its port over." in ended.err
    assert [each["id"] for each in codex.accounts()] == [account["id"]]
    assert list(codex.home.glob("port-*")) == []


def test_a_login_that_was_killed_leaves_no_port_and_no_harm(codex):
    killed = Login(codex, *CODEX, "--no-browser")
    killed.process.kill()
    killed.end()

    login = Login(codex, *CODEX, "--no-browser")
    bring_back(approve(login.url))

    assert (login.end().code, login.begun["redirect"]) == (0, "http://localhost:1455/auth/callback")
