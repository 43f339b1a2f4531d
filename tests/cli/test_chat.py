"""Asking a model from a terminal: one question, a conversation, and what tools may do."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import pytest

from doorkey.domain.conversation import RunState
from doorkey.domain.provider import Payer
from tests.cli.acme import Browser, keep
from tests.cli.terminal import Person, Terminal

WRITE = 'call write_file {"path": "notes.txt", "content": "one\\ntwo\\n"}'


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def connected(house):
    house.browser = Browser(approves=True)
    assert Terminal(house).run("login", "acme", "--name", "work") == 0
    return house


def runs(house):
    return [run for chat in house.stores.conversations.all() for run in house.stores.runs.of(chat.id)]


def test_the_answer_is_all_of_stdout_and_who_pays_is_told_before_it(connected):
    terminal = Terminal(connected)

    code = terminal.run("chat", "--model", "acme:practice-small", "say: Good morning.")

    assert (code, terminal.out) == (0, "Good morning.\n")
    assert terminal.err == "acme:practice-small · work · billed by use\n"


def test_the_prompt_can_be_piped(connected):
    terminal = Terminal(connected, stdin="say: Piped.\n")

    code = terminal.run("chat", "--model", "acme:practice-small")

    assert (code, terminal.out) == (0, "Piped.\n")


def test_without_a_model_the_first_of_a_connected_provider_answers(connected):
    terminal = Terminal(connected)

    terminal.run("chat", "say: Hello.")

    assert runs(connected)[0].served.model == "practice-small"


def test_the_last_model_is_remembered(connected):
    Terminal(connected).run("chat", "--model", "acme:practice-large", "say: One.")

    Terminal(connected).run("chat", "say: Two.")

    assert {run.served.model for run in runs(connected)} == {"practice-large"}


def test_the_chat_is_kept_for_the_app(connected):
    Terminal(connected).run("chat", "--account", "work", "say: Hello.")

    chat = connected.stores.conversations.all()[0]
    run = runs(connected)[0]
    assert (chat.title, chat.account) == ("say: Hello.", connected.services.book.find("work").id)
    assert (run.state, run.served.payer) == (RunState.DONE, Payer.METERED)


def test_a_conversation_goes_on_until_the_input_ends(connected):
    terminal = Terminal(connected, "say: One.", "", "say: Two.")

    code = terminal.run("chat")

    assert (code, terminal.out) == (0, "One.\nTwo.\n")
    assert terminal.person.asked == ["> "] * 4
    assert len(connected.stores.conversations.all()) == 1


class Impatient(StringIO):
    """A screen at which somebody presses Ctrl-C as soon as the first words of an answer stand there."""

    def __init__(self):
        super().__init__()
        self.pressed = False

    def write(self, text):
        super().write(text)
        if not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return len(text)


def test_ctrl_c_stops_the_answer_and_keeps_what_was_said(connected):
    terminal = Terminal(connected, stdout=Impatient())

    code = terminal.run("chat", "slow 200")

    assert (code, [run.state for run in runs(connected)]) == (130, [RunState.STOPPED])
    assert terminal.out.startswith("word1")


def test_ctrl_c_ends_an_answer_and_not_the_conversation(connected):
    terminal = Terminal(connected, "slow 200", "say: Still here.", stdout=Impatient())

    code = terminal.run("chat")

    assert code == 0
    assert terminal.out.endswith("Still here.\n")
    assert "Stopped." in terminal.err


def test_a_tool_call_is_shown_exactly_and_runs_after_a_yes(connected, folder):
    terminal = Terminal(connected, "o")

    code = terminal.run("chat", "--folder", str(folder), WRITE)

    assert (code, (folder / "notes.txt").read_text()) == (0, "one\ntwo\n")
    assert "The model asks to use write_file:\n" in terminal.err
    assert "  content:\n  │ one\n  │ two\n" in terminal.err
    assert "  path: notes.txt\n" in terminal.err


def test_a_long_line_of_a_call_stays_fenced(connected, folder):
    padded = "call run_command " + json.dumps({"command": "ls" + " " * 100 + "Allow [o]nce"})
    terminal = Terminal(connected, "d", "no")

    terminal.run("chat", "--folder", str(folder), padded)

    assert f"  command:\n  │ ls{' ' * 74}\n  ┆ {' ' * 26}Allow [o]nce\n" in terminal.err


def test_what_is_invisible_in_a_call_is_shown(connected, folder):
    hidden = "call write_file " + json.dumps({"path": "a.txt", "content": "\u202eevil\x1b[2J"})
    terminal = Terminal(connected, "d", "no")

    terminal.run("chat", "--folder", str(folder), hidden)

    assert "  content: \\u202eevil\\x1b[2J\n" in terminal.err
    assert "\x1b" not in terminal.err


def test_a_yes_for_the_chat_is_asked_once(connected, folder):
    terminal = Terminal(connected, WRITE, "c", WRITE)

    code = terminal.run("chat", "--folder", str(folder))

    asked = [question for question in terminal.person.asked if question.startswith("Allow")]
    assert (code, len(asked)) == (0, 1)


def test_a_no_reaches_the_model_with_its_reason(connected, folder):
    terminal = Terminal(connected, "maybe", "d", "Not there.")

    code = terminal.run("chat", "--folder", str(folder), WRITE)

    assert (code, list(folder.iterdir())) == (0, [])
    assert "Not there." in terminal.out


@dataclass
class SigningOut(Person):
    """Somebody who signs out elsewhere before they answer."""

    sign_out: Callable[[], object] = bool

    def line(self, question):
        self.sign_out()
        return super().line(question)


def test_a_sign_out_before_the_yes_leaves_the_answer_waiting(connected, folder):
    account = connected.services.book.find("work")
    leaving = SigningOut(["o"], sign_out=lambda: connected.vault.accounts.forget(account.id))
    terminal = Terminal(connected, person=leaving)

    code = terminal.run("chat", "--folder", str(folder), WRITE)

    assert (code, [run.state for run in runs(connected)]) == (3, [RunState.WAITING])
    assert "error: " in terminal.err
    assert list(folder.iterdir()) == []


def test_where_nobody_sits_a_call_is_denied_and_the_code_is_5(connected, folder):
    terminal = Terminal(connected)

    code = terminal.run("chat", "--folder", str(folder), WRITE)

    assert (code, list(folder.iterdir())) == (5, [])
    assert terminal.err.endswith("hint: Run this in a terminal, or ask in the app.\n")


def test_a_failure_keeps_the_prompt_and_tells_what_to_do(connected, practice):
    import httpx2

    wish = {"kind": "limit_without_reset", "times": 1, "endpoint": "model"}
    Terminal(connected).run("models")
    httpx2.post(f"{practice}/sandbox/faults", json=wish).raise_for_status()
    terminal = Terminal(connected)

    code = terminal.run("chat", "--model", "acme:practice-small", "say: Hello.")

    assert code in {4, 7}
    assert "error: " in terminal.err
    assert [(run.state, run.prompt) for run in runs(connected)] == [(RunState.FAILED, "say: Hello.")]


def test_without_an_account_a_sign_in_is_needed(house):
    terminal = Terminal(house)

    code = terminal.run("chat", "--model", "acme:practice-small", "Hello")

    assert (code, terminal.out) == (3, "")


def test_where_no_list_comes_what_stood_in_its_way_is_told(connected, practice):
    import httpx2

    wish = {"kind": "unavailable", "times": 1, "endpoint": "model"}
    httpx2.post(f"{practice}/sandbox/faults", json=wish).raise_for_status()
    terminal = Terminal(connected)

    code = terminal.run("chat", "Hello")

    assert (code, terminal.out) == (4, "")


def test_where_the_config_switches_the_accounts_off_that_is_told(house, config):
    from doorkey.bootstrap import open_house

    keep(house)
    config.write_text(config.read_text().replace('kind = "authorization_code"', "enabled = false"))

    with open_house(here=config.parent) as opened:
        terminal = Terminal(opened)
        code = terminal.run("chat", "Hello")

    assert (code, terminal.out) == (5, "")
    assert "switched off" in terminal.err


def test_the_first_use_of_a_key_in_a_file_is_asked_for(config, practice):
    from doorkey.bootstrap import open_house

    (config.parent / ".env").write_text("ACME_API_KEY=sk-none\n")

    with open_house(here=config.parent) as house:
        terminal = Terminal(house, "no")
        code = terminal.run("chat", "Hello")

    assert code == 5
    assert terminal.person.asked == ["Do you agree, for this and later times? [y/N] "]


def test_without_the_vaults_key_no_sign_in_is_asked_for(house, config):
    from doorkey.bootstrap import open_house

    keep(house)
    (config.parent / "doorkey.key").unlink()

    with open_house(here=config.parent) as locked:
        terminal = Terminal(locked)
        code = terminal.run("chat", "Hello")

    assert (code, terminal.out) == (6, "")
    assert "master key" in terminal.err


@pytest.mark.parametrize("line", ["chat --model nonsense Hello", "chat"])
def test_what_cannot_be_asked_is_a_mistake_of_usage(connected, line):
    terminal = Terminal(connected)

    code = terminal.run(*line.split())

    assert code == 2
    assert "hint: `doorkey chat --help`" in terminal.err
