"""What `doorkey audit` tells of what the other commands did."""

import json

from doorkey.bootstrap import open_house
from doorkey.service.resolve import Wish
from doorkey.testing.values import an_entry
from tests.cli.acme import Browser, keep, somebody
from tests.cli.terminal import Terminal

CANARY = "canary-of-an-api-key"


def ran(house, line, **options):
    """Run a command that works, and return what it printed."""
    terminal = Terminal(house, **options)
    assert terminal.run(*line.split()) == 0, terminal.err
    return terminal.out


def told(house, line="audit --json"):
    return json.loads(ran(house, line))


def test_a_whole_life_of_an_account_is_told_newest_first(house):
    house.browser = Browser(approves=True)
    for line in (
        "login acme --name work",
        "token acme",
        "chat --model acme:practice-small hello",
        "logout work --revoke",
    ):
        ran(house, line)

    entries = told(house)["entries"]

    chat = house.stores.conversations.all()[0].id
    assert [(entry["action"], entry["detail"]) for entry in entries] == [
        ("forgot", "doorkey logout"),
        ("revoked", "doorkey logout"),
        ("used", f"chat {chat}"),
        ("used", "doorkey token"),
        ("signed_in", "doorkey login"),
    ]
    assert {entry["surface"] for entry in entries} == {"cli"}
    assert len({entry["account"] for entry in entries}) == 1


def test_an_entry_has_every_column_and_its_time_is_utc(house):
    house.journal.record(an_entry())

    assert told(house) == {
        "entries": [
            {
                "at": "2030-01-01T12:00:00Z",
                "surface": "cli",
                "action": "used",
                "label": "ada@example.com",
                "provider": "acme",
                "method": "oauth",
                "account": "acc_1",
                "detail": "doorkey token",
            }
        ],
        "last_uses": {"acc_1": "2030-01-01T12:00:00Z"},
    }


def test_the_limit_and_the_account_narrow_it_down(house):
    ada, bob = keep(house, **somebody("ada")), keep(house, **somebody("bob"))
    house.journal.record(an_entry(account=bob.id), an_entry(account=ada.id))

    of_ada = told(house, "audit --json --account ada@example.com")["entries"]
    newest = told(house, "audit --json --limit 1")["entries"]

    assert {entry["account"] for entry in of_ada} == {ada.id}
    assert [entry["account"] for entry in newest] == [ada.id]


def test_an_account_that_was_forgotten_is_found_by_its_id(house):
    account = keep(house)
    ran(house, f"logout {account.id}")

    entries = told(house, f"audit --json --account {account.id}")["entries"]

    assert [entry["action"] for entry in entries] == ["forgot"]


def test_an_account_that_never_was_is_an_unknown_name(house):
    terminal = Terminal(house)

    code = terminal.run("audit", "--account", "nobody")

    assert (code, terminal.out) == (1, "")
    assert "There is no account “nobody”." in terminal.err


def test_people_read_two_lines_for_each_entry(house):
    house.journal.record(an_entry(label="ada\x1b]0;title\x07"))

    lines = ran(house, "audit").splitlines()

    assert lines[0].endswith("  used  ada\\x1b]0;title\\x07")
    assert lines[1] == "    acme · oauth · acc_1 · by the cli · doorkey token"


def test_an_empty_audit_says_so(house):
    terminal = Terminal(house)

    terminal.run("audit")

    assert (terminal.out, terminal.err) == ("", "Nothing was written down yet.\n")


def test_looking_is_no_use(house):
    keep(house)

    for line in ("accounts", "providers", "doctor --json", "usage"):
        Terminal(house).run(*line.split())

    assert told(house)["entries"] == []


def test_no_secret_is_in_it(config):
    with open_house(here=config.parent) as house:
        ran(house, "login acme --method api-key --name work --no-check", stdin=f"{CANARY}\n")
        assert ran(house, "token acme") == f"{CANARY}\n"
        ran(house, "logout work")
        assert len(told(house)["entries"]) == 3

    written = b"".join(path.read_bytes() for path in house.folders.data.glob("app.db*"))
    assert b"doorkey token" in written
    assert CANARY.encode() not in written


def test_closing_the_house_writes_what_waits(house, config):
    keep(house)

    with open_house(here=config.parent) as other:
        other.services.sources.of(other.services.resolver.choose(Wish(provider="acme"))).get()

    assert [entry["surface"] for entry in told(house)["entries"]] == ["library"]
