"""What `doorkey accounts` and `doorkey use` show and change."""

import json
from datetime import timedelta

import pytest

from doorkey.cli.columns import cells
from doorkey.domain.account import Standing, State
from tests.cli.acme import keep, somebody
from tests.cli.terminal import Terminal


def test_json_is_the_listing(house):
    keep(house)
    terminal = Terminal(house)

    code = terminal.run("accounts", "--json")

    assert code == 0
    assert json.loads(terminal.out) == {"accounts": house.services.listing.accounts()}


def test_no_accounts_are_an_empty_list_and_a_word_for_people(house):
    as_json, plain = Terminal(house), Terminal(house)

    codes = as_json.run("accounts", "--json"), plain.run("accounts")

    assert codes == (0, 0)
    assert (as_json.out, plain.out) == ('{"accounts": []}\n', "")
    assert "doorkey login PROVIDER" in plain.err


def test_two_lines_tell_all_of_an_account(house):
    account = keep(house, name="work", **somebody("ada"))
    terminal = Terminal(house)

    terminal.run("accounts")

    assert terminal.out == (
        "* work (ada@example.com)  acme · oauth  ready\n"
        f"    plus plan pays · workspace-1 · expires in 59 min · {account.id}\n"
    )


def test_the_default_has_the_star(house):
    keep(house, **somebody("ada"))
    keep(house, **somebody("bob"))

    Terminal(house).run("use", "bob@example.com")

    terminal = Terminal(house)
    terminal.run("accounts")
    marks = [line[:6] for line in terminal.out.splitlines() if "acme" in line]
    assert marks == ["  ada@", "* bob@"]


def test_what_needs_a_person_says_what_to_do(house):
    standing = Standing(state=State.SIGN_IN_NEEDED, reason="The sign-in was revoked.")
    account = keep(house, standing=standing)
    terminal = Terminal(house)

    terminal.run("accounts")

    assert "sign in needed" in terminal.out
    assert f"→ The sign-in was revoked. `doorkey login acme --account {account.id}`" in " ".join(terminal.out.split())


def test_long_names_and_wide_letters_stay_within_the_terminal(house):
    keep(house, name="鍵" * 60, lasts=timedelta(days=3), **somebody("a" * 60))
    terminal = Terminal(house)

    terminal.run("accounts")

    assert max(cells(line) for line in terminal.out.splitlines()) <= 80


@pytest.mark.parametrize("wild", ["\x1b", "\u202e", "\ud800"])
def test_an_identity_cannot_drive_the_terminal(house, wild):
    keep(house, **somebody(f"{wild}]0;title\x07ada"))
    terminal = Terminal(house)

    terminal.run("accounts")

    assert wild not in terminal.out


def test_accounts_are_listed_without_the_master_key(house, config):
    from doorkey.bootstrap import open_house

    keep(house)
    (config.parent / "doorkey.key").unlink()

    with open_house(here=config.parent) as locked:
        terminal = Terminal(locked)
        code = terminal.run("accounts", "--json")

    assert (code, json.loads(terminal.out)["accounts"][0]["state"]) == (0, "key_unreadable")


@pytest.mark.parametrize("line", ["use nobody", "logout nobody"])
def test_an_unknown_account_fails(house, line):
    terminal = Terminal(house)

    code = terminal.run(*line.split())

    assert code == 1
    assert "There is no account “nobody”." in terminal.err


def test_an_account_is_renamed(house):
    account = keep(house, name="work")
    terminal = Terminal(house)

    code = terminal.run("accounts", "rename", "work", "private")

    assert code == 0
    assert "work is called private from now on." in terminal.err
    assert house.services.book.find("private").id == account.id


def test_a_name_that_is_taken_is_refused(house):
    keep(house, name="work", **somebody("ada"))
    keep(house, name="private", **somebody("bob"))

    assert Terminal(house).run("accounts", "rename", "work", "private") == 1


def test_a_key_of_a_file_waits_for_its_yes(house, config):
    (config.parent / ".env").write_text("ACME_API_KEY=canary\n")
    terminal = Terminal(house)

    terminal.run("accounts", "--json")

    (entry,) = json.loads(terminal.out)["accounts"]
    assert (entry["state"], entry["action"], entry["default"], entry["selected"]) == ("blocked", "agree", False, None)
    assert "canary" not in terminal.out
