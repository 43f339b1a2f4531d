"""What `doorkey token` prints, and how it ends."""

import json
from datetime import timedelta

import pytest

from doorkey.domain.account import Standing, State
from doorkey.domain.provider import Payer
from tests.cli.acme import keep, somebody
from tests.cli.terminal import Terminal


def test_the_token_and_a_newline_and_nothing_else(house):
    keep(house, token="access-one")
    terminal = Terminal(house)

    code = terminal.run("token", "acme")

    assert (code, terminal.out, terminal.err) == (0, "access-one\n", "")


def test_json_says_whose_token_it_is_until_when_and_who_pays(house):
    account = keep(house, token="access-one", payer=Payer.PLAN)
    terminal = Terminal(house)

    terminal.run("token", "acme", "--json")

    assert json.loads(terminal.out) == {
        "token": "access-one",
        "expires_at": account.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "account": account.id,
        "payer": "plan",
    }


def test_the_account_that_is_asked_for_serves(house):
    keep(house, token="access-ada", **somebody("ada"))
    keep(house, token="access-bob", **somebody("bob"))
    terminal = Terminal(house)

    terminal.run("token", "acme", "--account", "bob@example.com")

    assert terminal.out == "access-bob\n"


def test_a_token_that_cannot_last_so_long_is_printed_with_a_warning(house):
    keep(house, lasts=timedelta(hours=1))
    terminal = Terminal(house)

    code = terminal.run("token", "acme", "--min-ttl", "86400")

    assert (code, terminal.out) == (0, "access-one\n")
    assert "warning: the freshest token there is lasts 59 min" in terminal.err


def test_a_key_from_the_environment_serves_where_there_is_no_account(house, monkeypatch):
    monkeypatch.setenv("ACME_API_KEY", "key-from-outside")
    terminal = Terminal(house)

    terminal.run("token", "acme", "--json")

    assert json.loads(terminal.out) == {
        "token": "key-from-outside",
        "expires_at": None,
        "account": None,
        "payer": "metered",
    }


def test_without_an_account_a_sign_in_is_needed(house):
    terminal = Terminal(house)

    code = terminal.run("token", "acme", "--json")

    told = json.loads(terminal.out)
    assert (code, told["error"]) == (3, "sign_in_needed")
    assert terminal.err.startswith(f"error: {told['message']}\nhint: {told['hint']}\n")


@pytest.fixture
def served_before(house, monkeypatch):
    monkeypatch.setenv("ACME_API_KEY", "key-from-outside")
    house.vault.choices.set("served:acme", "acc_gone")


@pytest.mark.usefixtures("served_before")
def test_a_change_of_payer_is_asked_about_once(house):
    first, second = Terminal(house, "yes"), Terminal(house)

    codes = first.run("token", "acme"), second.run("token", "acme")

    assert codes == (0, 0)
    assert first.out == second.out == "key-from-outside\n"
    assert "ACME_API_KEY would be billed" in first.err


@pytest.mark.usefixtures("served_before")
@pytest.mark.parametrize("answers", [["no"], [""]])
def test_a_change_of_payer_that_nobody_agrees_to_ends_with_5(house, answers):
    terminal = Terminal(house, *answers)

    code = terminal.run("token", "acme")

    assert (code, terminal.out) == (5, "")


@pytest.mark.usefixtures("served_before")
def test_nobody_is_asked_where_nobody_sits(house):
    terminal = Terminal(house, interactive=False)

    code = terminal.run("token", "acme")

    assert (code, terminal.person.asked) == (5, [])
    assert "hint:" in terminal.err


def test_a_dead_sign_in_ends_with_3_although_a_key_lies_around(house, monkeypatch):
    monkeypatch.setenv("ACME_API_KEY", "key-from-outside")
    keep(house, lasts=-timedelta(hours=1), standing=Standing(state=State.SIGN_IN_NEEDED, reason="revoked"))
    terminal = Terminal(house)

    code = terminal.run("token", "acme")

    assert (code, terminal.out) == (3, "")


def test_a_missing_key_ends_with_6(house):
    keep(house)
    (house.folders.config / "doorkey.key").unlink()
    terminal = Terminal(_reopened(house))

    code = terminal.run("token", "acme")

    assert (code, terminal.out) == (6, "")


def _reopened(house):
    from doorkey.bootstrap import open_house

    return open_house(here=house.folders.config)
