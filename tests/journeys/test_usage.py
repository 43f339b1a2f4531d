"""How an account stands and how much of it is used, learnt from what every program gets for an answer."""

from textwrap import dedent

import pytest

from doorkey.sandbox.usage import Used
from doorkey.testing.practice import GRACE
from tests.journeys.configs import config
from tests.journeys.person import sign_in

pytestmark = pytest.mark.slow

CHAT = ("chat", "--model", "anthropic:practice-small", "Hello")
ASK = ("chat", "--model", "acme:practice-small", "Hello")
PAGE = "/api/oauth/usage"


@pytest.fixture
def claude(program, practice):
    program.configure(config(practice.url, claude=True))
    program.agree("method:anthropic:claude")
    sign_in(program, "anthropic", "--method", "claude")
    return program


@pytest.fixture
def acme(program):
    sign_in(program, "acme", "--name", "work")
    return program


def windows(program):
    (entry,) = program.run("usage", "--json").json["accounts"]
    return {each["name"]: (each["used_percent"], each["source"]) for each in entry["windows"]}


def state(program):
    (account,) = program.accounts()
    return account["state"]


def test_what_the_headers_of_an_answer_tell_is_shown_with_its_reset(claude, practice, wire):
    practice.sandbox.meter.set(Used(85, 20, resets_in=7200))

    assert claude.run(*CHAT).code == 0
    before = len(wire.to(PAGE))
    shown = claude.run("usage")

    assert before == 0
    assert "5 hours · 85 % used · resets in" in shown.out
    assert "7 days · 20 % used" in shown.out


def test_the_usage_page_is_asked_once_in_a_quarter_of_an_hour_and_no_prompt_is_sent(claude, practice, wire):
    practice.sandbox.meter.set(Used(40, 20))

    assert windows(claude) == {"5 hours": (40.0, "page"), "7 days": (20.0, "page")}
    practice.sandbox.meter.set(Used(90, 20))
    assert windows(claude)["5 hours"] == (40.0, "page")

    assert len(wire.to(PAGE)) == 1
    assert wire.to("/v1/messages") == []


def test_a_used_up_account_says_until_when_and_is_ready_at_the_next_answer(acme, practice):
    practice.sandbox.faults.add("limit_with_reset", seconds=900)

    assert acme.run(*ASK).code == 7
    assert state(acme) == "over_limit"
    assert acme.run(*ASK).code == 0
    assert state(acme) == "ready"


def test_a_throttle_is_no_used_up_account(acme, practice):
    practice.sandbox.faults.add("limit_with_reset", seconds=5)

    assert acme.run(*ASK).code == 4
    assert state(acme) == "ready"


def test_a_limit_inside_an_answer_is_a_limit(acme, practice):
    practice.sandbox.faults.add("limit_in_stream")

    ended = acme.run(*ASK)

    assert ended.code == 7, ended
    assert state(acme) == "over_limit"


@pytest.mark.parametrize("client", ["client", "async_client"])
def test_another_program_s_answers_count_too(acme, practice, client):
    script = dedent(f"""
        import asyncio, doorkey, inspect, openai, sys
        client = doorkey.sdk.openai.{client}("acme").with_options(max_retries=0)
        asked = dict(model="practice-small", messages=[dict(role="user", content="hi")])
        try:
            answer = client.chat.completions.create(**asked)
            asyncio.run(answer) if inspect.isawaitable(answer) else answer
        except openai.RateLimitError:
            sys.exit(7)
    """)
    practice.sandbox.faults.add("limit_with_reset", seconds=900)

    assert acme.python(script).code == 7
    assert state(acme) == "over_limit"
    assert acme.python(script).code == 0
    assert state(acme) == "ready"


def test_a_key_that_a_program_finds_dead_is_shown_dead_and_alive_when_it_works_again(program, practice):
    key = practice.sandbox.make_key()
    assert program.run("login", "acme", "--method", "api-key", stdin=f"{key}\n").code == 0
    practice.sandbox.faults.add("revoked_grant")

    assert program.run(*ASK).code == 3
    assert state(program) == "sign_in_needed"
    assert program.run("models", "acme").code == 0
    assert state(program) == "ready"


def test_a_folder_has_its_account_and_may_have_no_other(program, tmp_path):
    sign_in(program, "acme", "--name", "private")
    work = sign_in(program, "acme", "--name", "work", person=GRACE)
    inside, link = tmp_path / "site" / "src", tmp_path / "link"
    inside.mkdir(parents=True)
    link.symlink_to(tmp_path / "site")

    assert program.run("use", "work", "--folder", str(link), "--only").code == 0

    told = program.run("token", "acme", "--json", here=inside).json
    assert told["account"] == work["id"]
    assert program.run("token", "acme", "--json", here=link).json["account"] == work["id"]
    assert program.run("token", "acme", "--account", "private", here=inside).code == 5
    assert program.run("token", "acme", here=inside, DOORKEY_ACCOUNT="private").code == 5
    assert program.run("token", "acme", "--json", here=tmp_path).json["account"] != work["id"]
