"""A code that is typed on another device: at a terminal, through programs that die, in Codex's way and GitHub's."""

import re
import signal
import time

import pytest

from doorkey.testing.practice import GRACE, type_code
from tests.journeys.configs import config
from tests.journeys.github import COPILOT, PENDING, TOKEN, github
from tests.journeys.person import Login
from tests.journeys.program import PATIENCE

pytestmark = pytest.mark.slow

CODE = re.compile(r"^    ([A-Z]{4}-[A-Z]{4})\r?$", re.MULTILINE)


def type_what_is_shown(practice, **choices):
    """Read the code off the terminal and type it elsewhere; nothing is typed at the terminal itself."""

    def read(shown):
        type_code(practice.url, CODE.search(shown)[1], **choices)
        return ""

    return {"Waiting until": read}


def test_a_person_reads_the_code_at_a_terminal_and_types_it_elsewhere(program, practice):
    answers = type_what_is_shown(practice, person=GRACE)

    ended = program.at_terminal("login", "acme", "--device", "--no-browser", answers=answers)

    assert ended.code == 0, ended
    assert f"{practice.url}/device" in ended.err
    assert "Never type a code that somebody sent you" in ended.err
    assert "Signed in as grace@practice.example" in ended.err
    assert program.run("token", "acme").code == 0


def test_a_denial_elsewhere_is_told_at_the_terminal(program, practice):
    answers = type_what_is_shown(practice, decision="deny")

    ended = program.at_terminal("login", "acme", "--device", "--no-browser", answers=answers)

    assert ended.code == 1
    assert "error: The sign-in was not approved." in ended.err


def test_the_pace_that_a_strict_server_wants_is_kept(program, practice, wire):
    login = Login(program, "acme", "--device", "--no-browser")
    time.sleep(3.5)
    type_code(practice.url, login.begun["user_code"])

    assert login.end().code == 0
    answers = [exchange.answer for exchange in wire.to("/token")]
    assert len(answers) >= 3
    assert not any(b"slow_down" in answer for answer in answers)


def test_a_provider_that_is_away_for_a_while_is_waited_for(program, practice):
    login = Login(program, "acme", "--device", "--no-browser")
    practice.sandbox.faults.add("unavailable", times=2, endpoint="token")
    type_code(practice.url, login.begun["user_code"])

    assert login.end().code == 0


def test_ctrl_c_ends_it_and_nobody_asks_any_more(program, practice, wire):
    login = Login(program, "acme", "--device", "--no-browser")

    login.process.send_signal(signal.SIGINT)
    ended = login.end()

    assert ended.code == 130
    asked = len(wire.to("/token"))
    with program.house() as house:
        (attempt,) = house.vault.attempts._database.rows("SELECT status FROM attempts")
    assert attempt["status"] == "cancelled"
    time.sleep(2)
    assert len(wire.to("/token")) == asked


def test_whoever_looks_goes_on_for_a_program_that_was_killed(program, practice):
    login = Login(program, "acme", "--device", "--no-browser")
    time.sleep(1.5)  # It has asked, and holds the right to.
    login.process.kill()
    login.end()
    type_code(practice.url, login.begun["user_code"])

    with program.house() as house:
        (row,) = house.vault.attempts._database.rows("SELECT id FROM attempts")
        found = house.services.sign_ins.find(row["id"])
        assert found.attempt.device.user_code == login.begun["user_code"]
        assert found.over.wait(PATIENCE)

    (account,) = program.accounts()
    assert account["identity"] == "ada@practice.example"


def test_what_is_secret_of_a_code_is_sealed_and_never_said(program, practice, wire):
    login = Login(program, "acme", "--device", "--no-browser")
    stored = b"".join(path.read_bytes() for path in program.home.glob("vault.db*"))
    type_code(practice.url, login.begun["user_code"])
    login.end()

    secret = wire.to("/token")[0].form["device_code"]
    assert secret.encode() not in stored
    assert login.begun["user_code"].encode() not in stored
    assert secret not in "".join(program.said)


def test_codex_speaks_its_own_dialect(program, practice, wire):
    program.configure(config(practice.url, codex=True))
    program.agree("method:openai:codex")
    login = Login(program, "openai", "--method", "codex", "--device", "--no-browser")
    time.sleep(1.5)
    type_code(practice.url, login.begun["user_code"])

    ended = login.end()

    assert ended.code == 0, ended
    assert login.begun["verification_uri"] == f"{practice.url}/codex/device"
    assert ended.events[-1]["account"]["plan"] == "plus"
    polls = [exchange.status for exchange in wire.to("/api/accounts/deviceauth/token")]
    assert (polls[0], polls[-1]) == (403, 200)
    (exchange,) = wire.to("/oauth/token")
    assert exchange.form["redirect_uri"] == f"{practice.url}/deviceauth/callback"


def test_sign_in_with_chatgpt_has_no_code_and_says_paste(program):
    refused = program.run("login", "openai", "--method", "chatgpt", "--device")

    assert refused.code == 2
    assert "--method chatgpt (browser, or --paste)" in refused.err


@pytest.fixture
def copilot(program):
    """An installation with an app of its own at something like GitHub."""
    with github() as site:
        program.configure(COPILOT.format(url=site.url))
        yield site


def test_copilot_is_signed_in_with_an_app_of_ones_own(program, copilot):
    ended = Login(program, "github-copilot", "--no-browser").end()

    account = ended.events[-1]["account"]
    assert ended.code == 0, ended
    assert ended.events[0]["event"] == "signed_in"
    assert (account["identity"], account["payer"], account["expires_at"]) == ("ada", "plan", None)
    (start,) = copilot.to("/login/device/code")
    assert start.body == {"client_id": "Ov23mine", "scope": "read:user"}
    assert start.headers["user-agent"].startswith("doorkey/")


def test_github_slows_down_with_status_200(program, copilot):
    copilot.decisions = [{"error": "slow_down", "interval": 2}, PENDING, TOKEN]
    began = time.monotonic()

    ended = Login(program, "github-copilot", "--no-browser").end()

    assert ended.code == 0, ended
    assert time.monotonic() - began >= 1 + 2 + 2


def test_a_denial_at_github_ends_it(program, copilot):
    copilot.decisions = [{"error": "access_denied"}]

    ended = Login(program, "github-copilot", "--no-browser").end()

    assert (ended.code, ended.events[-1]["event"]) == (1, "failed")


def test_an_app_without_the_device_flow_is_told_where_to_switch_it_on(program, copilot):
    copilot.decisions = [{"error": "device_flow_disabled"}]

    ended = Login(program, "github-copilot", "--no-browser").end()

    assert ended.events[-1]["error"] == "misconfigured"
    assert "settings of the app" in ended.events[-1]["hint"]


def test_copilot_lists_what_a_person_may_choose_and_chats_under_our_name(program, copilot):
    Login(program, "github-copilot", "--no-browser").end()

    listed = program.run("models", "github-copilot")
    answer = program.run("chat", "--model", "github-copilot:gpt-practice", "Hello?")

    assert listed.out.split()[0] == "github-copilot:gpt-practice"
    assert "hidden" not in listed.out
    assert "embedding" not in listed.out
    assert answer.code == 0, answer
    assert "Hello from Copilot." in answer.out
    (call,) = copilot.to("/copilot/chat/completions")
    assert call.headers["authorization"] == "Bearer gho_practice"
    assert call.headers["x-initiator"] == "user"
    assert call.headers["user-agent"].startswith("doorkey/")
    assert not {"editor-version", "editor-plugin-version", "copilot-integration-id"} & set(call.headers)


def test_tokens_of_a_github_app_are_renewed(program, copilot):
    copilot.decisions = [TOKEN | {"access_token": "ghu_one", "refresh_token": "ghr_one", "expires_in": 0}]
    Login(program, "github-copilot", "--no-browser").end()

    renewed = program.run("token", "github-copilot")

    assert (renewed.code, renewed.out.strip()) == (0, "ghu_renewed")
    assert copilot.to("/login/oauth/access_token")[-1].body["client_id"] == "Ov23mine"


def test_without_a_client_id_copilot_says_what_it_lacks(program):
    refused = program.run("login", "github-copilot", "--json")

    assert (refused.code, refused.json["error"]) == (1, "misconfigured")
    assert "[providers.github-copilot.methods.device]" in refused.json["hint"]
