"""Signing in from a terminal with a code that is typed in another browser."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from doorkey.testing.practice import type_code
from tests.cli.acme import Browser, keep, somebody
from tests.cli.terminal import Terminal
from tests.cli.test_login import Screen, events

DEVICE_ONLY = """
[providers.acme.methods.device]
client_id = "doorkey"
issuer = "{url}"
device_url = "{url}/device_authorization"
token_url = "{url}/token"
jwks_url = "{url}/jwks.json"
scopes = ["openid", "profile", "email", "offline_access", "models"]
"""


class Elsewhere:
    """Somebody with another device, who reads the code on the screen and decides."""

    def __init__(self, practice, decision="allow"):
        self.screen = Screen()
        self._person = threading.Thread(target=self._decide, args=(practice, decision))
        self._person.start()

    def _decide(self, practice, decision):
        shown = json.loads(self.screen.lines.get(timeout=30))
        type_code(practice, shown["user_code"], decision=decision)


@pytest.fixture
def person(practice):
    return Elsewhere(practice)


def test_a_code_that_is_allowed_elsewhere_signs_in(house, practice, person):
    terminal = Terminal(house, stdout=person.screen)

    code = terminal.run("login", "acme", "--device", "--name", "work", "--json")

    begun, ended = events(terminal)
    assert code == 0
    assert set(begun) == {"event", "user_code", "verification_uri", "expires_at"}
    assert (begun["event"], begun["verification_uri"]) == ("device_code", f"{practice}/device")
    left = datetime.fromisoformat(begun["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=8) < left <= timedelta(minutes=10)
    account = house.services.book.find("work")
    assert ended == {"event": "signed_in", "account": house.services.listing.account(account)}


def test_a_denial_ends_it_as_any_other_sign_in_that_failed(house, practice):
    terminal = Terminal(house, stdout=Elsewhere(practice, "deny").screen)

    code = terminal.run("login", "acme", "--device", "--json")

    assert code == 1
    assert events(terminal)[-1] == {
        "event": "failed",
        "error": "sign_in_failed",
        "hint": "Start again and allow it, or choose another way.",
    }
    assert house.services.book.all() == []


def test_the_page_is_opened_with_the_code_filled_in(house, person):
    terminal = Terminal(house, stdout=person.screen)

    terminal.run("login", "acme", "--device", "--json")

    (begun, _), (opened,) = events(terminal), house.browser.opened
    assert opened == f"{begun['verification_uri']}?user_code={begun['user_code']}"
    assert "compare it" in terminal.err


@pytest.mark.parametrize(("answer", "code", "labels"), [("y", 0, {"bob", "ada@practice.example"}), ("n", 5, {"bob"})])
def test_somebody_else_than_was_meant_is_kept_only_after_a_yes(house, person, answer, code, labels):
    keep(house, name="bob", **somebody("bob"))
    terminal = Terminal(house, answer, stdout=person.screen)

    assert terminal.run("login", "acme", "--account", "bob", "--device", "--json") == code

    assert {account.label for account in house.services.book.all()} == labels
    assert "Keep it as another account?" in terminal.person.asked[0]


def test_where_nobody_sits_somebody_else_is_not_kept(house, person):
    keep(house, name="bob", **somebody("bob"))
    terminal = Terminal(house, stdout=person.screen)

    assert terminal.run("login", "acme", "--account", "bob", "--device", "--json") == 5

    assert [account.label for account in house.services.book.all()] == ["bob"]


def test_no_browser_is_opened_where_it_is_not_wanted(house, person):
    terminal = Terminal(house, stdout=person.screen)

    code = terminal.run("login", "acme", "--device", "--no-browser", "--json")

    assert (code, house.browser.opened) == (0, [])


class Typing(Browser):
    """A browser whose person types the code of a terminal at once."""

    def __init__(self, practice):
        super().__init__()
        self._practice = practice

    def open(self, url):
        self.opened.append(url)
        type_code(self._practice, url.partition("user_code=")[2])
        return True


def test_a_person_reads_the_code_alone_on_a_line_and_a_warning(house, practice):
    house.browser = Typing(practice)
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--device")

    user_code = house.browser.opened[0].partition("user_code=")[2]
    assert (code, terminal.out) == (0, "")
    assert f"\n    {user_code}\n" in terminal.err
    assert f"\n{practice}/device\n" in terminal.err
    assert "Never type a code that somebody sent you" in terminal.err
    assert "Signed in as ada@practice.example" in terminal.err


@pytest.fixture
def device_only(config, practice):
    config.write_text(config.read_text() + DEVICE_ONLY.format(url=practice))


def test_a_method_with_a_code_alone_needs_no_flag(device_only, house, person):
    terminal = Terminal(house, stdout=person.screen)

    code = terminal.run("login", "acme", "--method", "device", "--json")

    assert (code, events(terminal)[0]["event"]) == (0, "device_code")


def test_there_is_nothing_to_paste_where_a_code_is_typed(device_only, house):
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--method", "device", "--paste")

    assert code == 2
    assert "there is nothing to paste" in terminal.err


def test_neither_code_nor_token_of_the_device_is_shown(house, person):
    terminal = Terminal(house, stdout=person.screen)

    terminal.run("login", "acme", "--device", "--json")

    (account,) = house.services.book.all()
    held = house.vault.accounts.load(account.id)
    shown = terminal.out + terminal.err
    assert held.tokens.access.reveal() not in shown
    assert 'device_code":' not in shown.replace('"event": "device_code"', "")
