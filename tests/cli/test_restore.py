"""What `doorkey restore` shows, asks and changes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from doorkey.adapters import bundle as sealing
from doorkey.adapters.bundle import Cost
from doorkey.domain.account import Origins
from doorkey.domain.bundle import Bundle, pack
from doorkey.domain.secret import Secret
from doorkey.testing.values import an_identity, held, some_tokens
from tests.cli.acme import keep
from tests.cli.terminal import Terminal

PHRASE = "correct horse"
CHEAP = Cost(memory=8, passes=1, lanes=1)
NOW = datetime.now(UTC)
LATER = NOW + timedelta(minutes=90)


def an_ada(house, **changes):
    """Make Ada's account as another vault holds it."""
    api = house.catalog.provider("acme").api.base_url.removesuffix("/v1")
    fields = {"id": "acc_ada", "origins": Origins(api=api), "expires_at": LATER, "created_at": NOW}
    tokens = some_tokens("canary", issued_at=NOW, expires_at=LATER)
    return held(tokens, **(fields | changes))


@pytest.fixture
def file(house, home):
    path = home / "moving.doorkey"
    write(path, an_ada(house))
    return path


def write(path, *accounts):
    bundle = Bundle(made_at=NOW, accounts=accounts, defaults={}, consents={})
    path.write_bytes(sealing.seal(pack(bundle), Secret(PHRASE), CHEAP))


def test_a_person_sees_who_it_is_and_says_yes(house, file):
    terminal = Terminal(house, PHRASE, "y")

    code = terminal.run("restore", str(file))

    assert (code, terminal.out) == (0, "")
    assert terminal.person.asked == ["Passphrase (it is not shown): ", "\nTake them in? [y/N] "]
    assert "  ada@example.com  acme · oauth  new\n    plus plan pays · expires in 1 h\n" in terminal.err
    assert house.vault.accounts.load("acc_ada") == an_ada(house)


def test_it_says_that_only_one_computer_may_renew(house, file):
    terminal = Terminal(house, PHRASE, "y")

    terminal.run("restore", str(file))

    said = " ".join(terminal.err.split())
    assert "Only one computer may renew a sign-in" in said
    assert "run `doorkey logout` where this came from, without --revoke, for ada@example.com" in said


def test_nothing_secret_is_shown(house, file):
    terminal = Terminal(house, PHRASE, "y")

    terminal.run("restore", str(file), "--json")

    assert "canary" not in terminal.out + terminal.err
    assert PHRASE not in terminal.out + terminal.err


@pytest.mark.parametrize("answer", ["n", "", "no", "Yes please"])
def test_anything_but_a_yes_changes_nothing(house, file, answer):
    terminal = Terminal(house, PHRASE, answer)

    code = terminal.run("restore", str(file))

    assert (code, house.services.book.all()) == (5, [])
    assert "Nothing was restored." in terminal.err


def test_where_nobody_can_be_asked_it_is_shown_and_left(house, file):
    terminal = Terminal(house, stdin=f"{PHRASE}\ny\n")

    code = terminal.run("restore", str(file))

    assert (code, house.services.book.all()) == (5, [])
    assert "ada@example.com" in terminal.err
    assert "add --yes" in terminal.err


def test_yes_on_the_command_line_is_enough_and_json_tells_what_became_of_each(house, file):
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes", "--json")

    assert code == 0
    assert json.loads(terminal.out) == {
        "accounts": [
            {
                "id": "acc_ada",
                "name": None,
                "provider": "acme",
                "method": "oauth",
                "identity": "ada@example.com",
                "plan": "plus",
                "expires_at": LATER.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "outcome": "added",
                "reason": None,
            }
        ]
    }


def test_a_second_restore_has_nothing_to_do_and_asks_nothing(house, file):
    Terminal(house, stdin=f"{PHRASE}\n").run("restore", str(file), "--yes")
    terminal = Terminal(house, PHRASE)

    code = terminal.run("restore", str(file))

    assert code == 0
    assert "it is here already, as it is in the file" in " ".join(terminal.err.split())
    assert terminal.err.endswith("There was nothing to take in.\n")


def test_who_is_here_stays_unless_it_is_to_be_replaced(house, file):
    here = keep(house, token="here", generation=4, identity=an_ada(house).account.identity)
    kept, replaced = Terminal(house, stdin=f"{PHRASE}\n"), Terminal(house, stdin=f"{PHRASE}\n")

    codes = [kept.run("restore", str(file), "--yes", "--json")]
    before = house.vault.accounts.load(here.id)
    codes += [replaced.run("restore", str(file), "--yes", "--json", "--replace")]
    after = house.vault.accounts.load(here.id)

    assert codes == [0, 0]
    assert [json.loads(each.out)["accounts"][0]["outcome"] for each in (kept, replaced)] == ["kept", "replaced"]
    assert (before.tokens.access.reveal(), after.tokens.access.reveal()) == ("here", "access-canary")
    assert after.account.generation == 5


def test_only_what_is_named_is_restored(house, file):
    bob = an_ada(house, id="acc_bob", identity=replace(an_identity(), subject="bob", email="bob@example.com"))
    write(file, an_ada(house), bob)
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes", "--account", "bob@example.com")

    assert (code, [account.id for account in house.services.book.all()]) == (0, ["acc_bob"])
    assert "ada@example.com" not in terminal.err


def test_a_name_that_is_not_in_the_file_fails(house, file):
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes", "--account", "nobody")

    assert (code, house.services.book.all()) == (1, [])
    assert "There is no account “nobody”." in terminal.err


def test_a_provider_that_the_config_lacks_is_said(house, file):
    write(file, an_ada(house, provider="far-away"))
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes")

    assert code == 0
    assert "config.toml here does not have this method" in " ".join(terminal.err.split())


def test_an_identity_in_the_file_cannot_drive_the_terminal(house, file):
    write(file, an_ada(house, name="\x1b]0;title\x07ada"))
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    terminal.run("restore", str(file), "--yes")

    assert "\x1b" not in terminal.err


def cut(content: bytes) -> bytes:
    return content[:-7]


def changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def newer(content: bytes) -> bytes:
    return content.replace(b"doorkey-bundle 1", b"doorkey-bundle 2", 1)


def huge(content: bytes) -> bytes:
    return content.replace(b'"memory_kib": 8,', b'"memory_kib": 99999999,', 1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [(cut, "cut short"), (changed, "damaged"), (newer, "newer Doorkey"), (huge, "more memory or time")],
)
def test_a_file_that_is_not_as_it_was_changes_nothing(house, file, damage, message):
    file.write_bytes(damage(file.read_bytes()))
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes", "--json")

    assert (code, house.services.book.all()) == (1, [])
    assert json.loads(terminal.out)["error"] == "bundle_rejected"
    assert message in terminal.err
    assert "hint: " in terminal.err


@pytest.mark.parametrize(
    ("stdin", "message"), [("wrong\n", "The passphrase is wrong."), ("", "No passphrase was given.")]
)
def test_without_the_right_passphrase_nothing_changes(house, file, stdin, message):
    terminal = Terminal(house, stdin=stdin)

    code = terminal.run("restore", str(file), "--yes")

    assert (code, house.services.book.all()) == (1, [])
    assert message in terminal.err


def test_what_a_newer_doorkey_packed_under_this_version_is_refused(house, file):
    file.write_bytes(sealing.seal(b'{"unheard": "of"}', Secret(PHRASE), CHEAP))
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", str(file), "--yes")

    assert code == 1
    assert "makes no sense to this Doorkey" in terminal.err


def test_a_file_that_is_not_there_is_said_before_anything_is_asked(house, home):
    terminal = Terminal(house, PHRASE)

    code = terminal.run("restore", str(home / "nowhere"))

    assert (code, terminal.person.asked) == (1, [])
    assert "cannot be read: No such file or directory." in " ".join(terminal.err.split())


def test_a_file_without_end_is_not_read_to_it(house):
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("restore", "/dev/zero")

    assert code == 1
    assert "larger than any export" in terminal.err
