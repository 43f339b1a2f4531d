"""Signing in from a terminal: through the browser, by a pasted reply, with a key."""

import json
import sqlite3
from contextlib import closing
from io import StringIO
from queue import SimpleQueue

import httpx2
import pytest

from doorkey.testing.practice import ADA, GRACE, approve
from tests.cli.acme import Browser, keep, somebody
from tests.cli.terminal import Terminal

NOTE = "From your own config: you decide what its terms allow."


class Screen(StringIO):
    """A stdout whose lines somebody else can wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: SimpleQueue[str] = SimpleQueue()

    def write(self, text: str) -> int:
        self.lines.put(text)
        return super().write(text)


class Reader(StringIO):
    """A stdin at which somebody reads the address on the screen, approves it, and pastes what they were told to."""

    def __init__(self, screen, *pastes, decision="allow", person=ADA):
        super().__init__()
        self._screen = screen
        self._pastes = list(pastes)
        self._decision = decision
        self._person = person
        self._reply = None

    def readline(self, *_):
        if self._reply is None:
            url = json.loads(self._screen.lines.get())["url"]
            self._reply = approve(url, decision=self._decision, person=self._person)
        return self._pastes.pop(0).format(reply=self._reply) + "\n" if self._pastes else ""


def pasting(house, *pastes, decision="allow"):
    screen = Screen()
    return Terminal(house, stdin=Reader(screen, *pastes, decision=decision), stdout=screen)


def events(terminal):
    return [json.loads(line) for line in terminal.out.splitlines()]


def test_the_browser_brings_the_reply(house):
    house.browser = Browser(approves=True)
    terminal = Terminal(house)

    code = terminal.run("login", "acme")

    account = house.services.book.all()[0]
    assert (code, terminal.out) == (0, "")
    assert f"Signed in as {account.label}" in terminal.err
    assert "not the one you meant? Sign in again in a private window." in terminal.err


def test_the_policy_is_shown_before_the_address(house):
    terminal = pasting(house, "{reply}")

    terminal.run("login", "acme", "--json")

    assert terminal.err.startswith(f"Acme: Sign in to Acme\n{NOTE}\n")


def test_events_are_the_address_and_the_account(house):
    terminal = pasting(house, "{reply}")

    code = terminal.run("login", "acme", "--no-browser", "--json")

    begun, ended = events(terminal)
    account = house.services.book.all()[0]
    assert code == 0
    assert set(begun) == {"event", "url", "redirect"}
    assert begun["event"] == "authorize"
    assert begun["redirect"].startswith("http://127.0.0.1:")
    assert ended == {"event": "signed_in", "account": house.services.listing.account(account)}


@pytest.mark.parametrize("flag", ["--no-browser", "--paste"])
def test_no_browser_is_opened_where_it_is_not_wanted(house, flag):
    terminal = pasting(house, "{reply}")

    code = terminal.run("login", "acme", flag, "--json")

    assert (code, house.browser.opened) == (0, [])


def test_a_foreign_reply_is_told_about_and_the_sign_in_goes_on(house):
    terminal = pasting(house, "http://127.0.0.1/callback?code=x&state=wrong", "", "{reply}")

    code = terminal.run("login", "acme", "--paste", "--json")

    assert code == 0
    assert "error: This reply belongs to another sign-in.\nhint: " in terminal.err


def test_a_refusal_at_the_provider_ends_the_sign_in(house):
    terminal = pasting(house, "{reply}", decision="deny")

    code = terminal.run("login", "acme", "--no-browser", "--json")

    assert code == 1
    assert events(terminal)[-1] == {
        "event": "failed",
        "error": "sign_in_failed",
        "hint": "Start again and press Allow, or choose another way.",
    }


def out_of_order(practice, times=1):
    wish = {"kind": "unavailable", "times": times, "endpoint": "token"}
    httpx2.post(f"{practice}/sandbox/faults", json=wish).raise_for_status()


def test_a_provider_that_does_not_answer_is_asked_again_on_a_yes(house, practice):
    screen = Screen()
    terminal = Terminal(house, stdin=Reader(screen, "{reply}", "", "y"), stdout=screen, interactive=True)
    out_of_order(practice, times=2)

    code = terminal.run("login", "acme", "--no-browser", "--json")

    assert (code, events(terminal)[-1]["event"]) == (0, "signed_in")
    assert terminal.err.count("Try again? [Y/n]") == 2


@pytest.mark.parametrize("sits", [True, False])
def test_without_a_yes_a_provider_that_does_not_answer_is_a_fault_that_passes(house, practice, sits):
    screen = Screen()
    terminal = Terminal(house, stdin=Reader(screen, "{reply}", "n"), stdout=screen, interactive=sits)
    out_of_order(practice)

    code = terminal.run("login", "acme", "--no-browser", "--json")

    assert (code, events(terminal)[-1]["error"]) == (4, "provider_unavailable")
    assert ("Try again? [Y/n]" in terminal.err) is sits


@pytest.mark.parametrize(("answer", "code", "kept"), [("y", 0, 2), ("", 5, 1), ("n", 5, 1)])
def test_somebody_else_than_was_meant_is_kept_after_a_yes(home, house, answer, code, kept):
    house.browser = Browser(approves=True)
    Terminal(house).run("login", "acme")
    screen = Screen()
    stdin = Reader(screen, "{reply}", answer, person=GRACE)
    terminal = Terminal(house, stdin=stdin, stdout=screen, interactive=True)

    ended = terminal.run("login", "acme", "--account", "ada@practice.example", "--no-browser", "--json")

    assert (ended, len(house.services.book.all())) == (code, kept)
    assert "You became grace@practice.example, not ada@practice.example." in terminal.err
    assert "Keep it as another account? [y/N]" in terminal.err
    with closing(sqlite3.connect(next(home.rglob("vault.db")))) as vault:
        assert vault.execute("SELECT held FROM attempts").fetchall() == [(None,), (None,)]


def test_the_end_of_stdin_ends_a_sign_in_by_paste(house):
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--paste", "--json")

    assert (code, events(terminal)[-1]["event"]) == (1, "failed")


def test_the_end_of_stdin_leaves_the_listener_waiting(house):
    screen = Screen()
    terminal = Terminal(house, stdout=screen, stdin=Delivering(screen))

    code = terminal.run("login", "acme", "--no-browser", "--json")

    assert (code, events(terminal)[-1]["event"]) == (0, "signed_in")


class Delivering(StringIO):
    """A stdin that is at its end at once; only after it was read does a browser come back to the port."""

    def __init__(self, screen):
        super().__init__()
        self._screen = screen

    def readline(self, *_):
        from threading import Thread

        import httpx2

        url = json.loads(self._screen.lines.get())["url"]
        Thread(target=lambda: httpx2.get(approve(url))).start()
        return ""


def test_ctrl_c_frees_the_port(house):
    house.browser = Interrupting()
    terminal = Terminal(house)

    code = terminal.run("login", "acme")

    sign_in = house.services.sign_ins.find(house.browser.sign_in(house))
    assert code == 130
    assert sign_in.over.is_set()
    assert sign_in.state == "cancelled"


class Interrupting:
    """A person who sees the browser open and thinks better of it."""

    def open(self, url):
        raise KeyboardInterrupt

    def sign_in(self, house):
        return next(iter(house.services.sign_ins._live))


def test_a_reconnect_keeps_the_account(house):
    house.browser = Browser(approves=True)
    Terminal(house).run("login", "acme", "--name", "mine")
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--account", "mine")

    assert (code, [account.name for account in house.services.book.all()]) == (0, ["mine"])


def test_a_reconnect_as_somebody_else_is_refused(house):
    keep(house, name="bob", **somebody("bob"))
    house.browser = Browser(approves=True)
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--account", "bob")

    assert code == 5
    assert "not bob" in terminal.err


def test_a_name_that_is_there_already_means_the_account_that_has_it(house):
    keep(house, name="bob", **somebody("bob"))
    house.browser = Browser(approves=True)
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--name", "bob")

    assert code == 5
    assert "not bob" in terminal.err
    assert [account.identity.email for account in house.services.book.all()] == ["bob@example.com"]


@pytest.mark.parametrize("options", [["--method", "api-key"], ["--account", "ada"]])
def test_no_second_account_of_a_provider_gets_a_name(house, options):
    keep(house, name="bob", **somebody("bob"))
    keep(house, name="ada", **somebody("ada"))
    terminal = Terminal(house, "sk-typed")

    code = terminal.run("login", "acme", *options, "--name", "bob")

    assert (code, len(house.services.book.all())) == (1, 2)
    assert "Another account at acme is called bob." in terminal.err


def test_a_name_that_cannot_be_is_told_before_anything_opens(house):
    house.browser = Browser(approves=True)
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--name", " ")

    assert (code, house.browser.opened) == (1, [])
    assert "That is no name." in terminal.err


def test_an_account_is_signed_in_again_the_way_it_was(house):
    keep(house, name="bob", **somebody("bob"))
    terminal = Terminal(house, "sk-typed")

    code = terminal.run("login", "acme", "--account", "bob", "--method", "api-key")

    assert code == 2
    assert "bob is signed in by oauth, not by api-key." in terminal.err


def test_a_key_that_is_given_again_stays_one_account_also_under_a_new_name(house):
    Terminal(house, "sk-one").run("login", "acme", "--method", "api-key", "--name", "work", "--no-check")

    code = Terminal(house, "sk-two").run("login", "acme", "--account", "work", "--name", "office", "--no-check")

    (account,) = house.services.book.all()
    assert (code, account.name) == (0, "office")
    assert house.vault.accounts.load(account.id).tokens.access.reveal() == "sk-two"


def test_a_device_code_where_there_is_none_names_the_ways(house):
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--method", "api-key", "--device")

    assert code == 2
    assert "--method oauth (browser, --paste or --device); --method api-key (key)" in terminal.err


def test_a_key_is_asked_for_hidden(house):
    terminal = Terminal(house, "sk-typed")

    code = terminal.run("login", "acme", "--method", "api-key", "--name", "work", "--no-check")

    account = house.services.book.find("work")
    assert (code, terminal.out) == (0, "")
    assert terminal.person.asked == ["Key for Acme (it is not shown): "]
    assert house.vault.accounts.load(account.id).tokens.access.reveal() == "sk-typed"
    assert "sk-typed" not in terminal.err


def test_a_key_is_the_first_line_of_stdin_where_nobody_sits(house):
    terminal = Terminal(house, stdin="sk-piped\nsomething else\n")

    code = terminal.run("login", "acme", "--method", "api-key", "--no-check", "--json")

    account = house.services.book.all()[0]
    assert code == 0
    assert events(terminal) == [{"event": "signed_in", "account": house.services.listing.account(account)}]
    assert house.vault.accounts.load(account.id).tokens.access.reveal() == "sk-piped"


def test_a_key_that_the_provider_refuses_is_not_kept(house):
    terminal = Terminal(house, stdin="sk-mistyped\n")

    code = terminal.run("login", "acme", "--method", "api-key")

    assert (code, house.services.book.all()) == (1, [])
    assert "Acme does not accept this key." in terminal.err
    assert "--no-check" in terminal.err
    assert "sk-mistyped" not in terminal.err


def test_a_key_that_works_is_proved_at_once(house, practice_server):
    terminal = Terminal(house, stdin=f"{practice_server.sandbox.make_key()}\n")

    code = terminal.run("login", "acme", "--method", "api-key")

    assert code == 0
    assert house.services.book.all()[0].standing.proof.call == "key check"


@pytest.fixture
def unreachable(config, practice):
    config.write_text(config.read_text().replace(practice, "http://127.0.0.1:9"))


@pytest.mark.usefixtures("unreachable")
def test_a_key_that_nobody_could_be_asked_about_is_kept_and_said_so(house):
    terminal = Terminal(house, stdin="sk-offline\n")

    code = terminal.run("login", "acme", "--method", "api-key")

    assert code == 0
    assert house.services.book.all()[0].standing.proof is None
    assert "Acme could not be asked about the key just now" in terminal.err


@pytest.mark.parametrize("stdin", ["", "\n", "two words\n"])
def test_what_is_no_key_is_not_kept(house, stdin):
    terminal = Terminal(house, stdin=stdin)

    code = terminal.run("login", "acme", "--method", "api-key")

    assert (code, house.services.book.all()) == (1, [])


@pytest.fixture
def contested(config):
    config.write_text(config.read_text() + "[providers.openai.methods.codex]\nenabled = true\n")


@pytest.mark.usefixtures("contested")
def test_a_contested_way_asks_and_opens_nothing_before_the_yes(house):
    terminal = Terminal(house, "no")

    code = terminal.run("login", "openai", "--method", "codex")

    assert (code, house.browser.opened) == (5, [])
    assert "contested, as read on 2026-08-31" in terminal.err
    assert terminal.err.count("Uses the Codex client's registration") == 2


@pytest.mark.usefixtures("contested")
def test_a_contested_way_ends_with_5_where_nobody_can_be_asked(house):
    terminal = Terminal(house)

    code = terminal.run("login", "openai", "--method", "codex", "--json")

    assert (code, events(terminal)[0]["error"]) == (5, "consent_needed")


@pytest.mark.usefixtures("contested")
def test_a_yes_is_recorded(house):
    house.browser = Interrupting()
    terminal = Terminal(house, "y")

    terminal.run("login", "openai", "--method", "codex")

    assert house.services.consents.given("method:openai:codex")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("login nobody", 1),
        ("login acme --method nothing", 1),
        ("login openai --method codex", 5),
        ("login acme --account nobody", 1),
    ],
)
def test_what_cannot_be_signed_in_says_why(house, line, code):
    terminal = Terminal(house)

    ended = terminal.run(*line.split())

    assert ended == code
    assert "error: " in terminal.err
    assert "hint: " in terminal.err
