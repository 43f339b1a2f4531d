"""What `doorkey export` asks, writes and says."""

import stat

import pytest

from doorkey.adapters import bundle
from doorkey.domain.bundle import unpack
from doorkey.domain.secret import Secret
from tests.cli.acme import keep, somebody
from tests.cli.terminal import Person, Terminal

PHRASE = "correct horse"


@pytest.fixture
def file(home):
    return home / "moving.doorkey"


def accounts_in(file):
    packed = bundle.unseal(bundle.read(file.read_bytes()), Secret(PHRASE))
    return [held.account for held in unpack(packed).accounts]


def test_the_accounts_are_in_a_private_file_and_nothing_is_on_stdout(house, file):
    account = keep(house, token="access-canary", name="work", renews=True)
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("export", str(file))

    assert (code, terminal.out) == (0, "")
    assert accounts_in(file) == [account]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"canary" not in file.read_bytes()
    assert "work (acme) can be restored" in terminal.err
    assert "only one computer may renew work (acme)" in terminal.err
    assert "canary" not in terminal.err
    assert PHRASE not in terminal.err


def test_a_person_types_the_passphrase_twice_and_hidden(house, file):
    keep(house)
    terminal = Terminal(house, PHRASE, PHRASE)

    code = terminal.run("export", str(file))

    assert (code, len(accounts_in(file))) == (0, 1)
    assert terminal.person.asked == [
        "New passphrase, at least 8 characters (it is not shown): ",
        "The same once more: ",
    ]


@pytest.mark.parametrize(
    ("answers", "stdin", "message"),
    [
        ((PHRASE, "correct house"), "", "two different passphrases"),
        (("1234567",), "", "at least 8 characters"),
        ((), "1234567\n", "at least 8 characters"),
        ((), "", "No passphrase was given"),
        ((), "\n", "No passphrase was given"),
    ],
)
def test_a_passphrase_that_is_none_writes_nothing(house, file, answers, stdin, message):
    keep(house)
    terminal = Terminal(house, *answers, stdin=stdin)

    code = terminal.run("export", str(file))

    assert (code, file.exists()) == (1, False)
    assert message in terminal.err


def test_a_person_who_leaves_the_question_writes_nothing(house, file):
    keep(house)
    terminal = Terminal(house, interactive=True)

    code = terminal.run("export", str(file))

    assert (code, file.exists()) == (1, False)
    assert "No passphrase was given" in terminal.err


def test_only_what_is_named_is_exported(house, file):
    keep(house, **somebody("ada"))
    bob = keep(house, **somebody("bob"))
    keep(house, **somebody("eve"))
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("export", str(file), "--account", "bob@example.com")

    assert (code, accounts_in(file)) == (0, [bob])


def test_a_file_that_is_there_is_kept_and_nothing_is_asked(house, file):
    keep(house)
    file.write_text("mine")
    terminal = Terminal(house, PHRASE, PHRASE)

    code = terminal.run("export", str(file))

    assert (code, file.read_text(), terminal.person.asked) == (1, "mine", [])
    assert "is there already" in " ".join(terminal.err.split())
    assert "--force" in terminal.err


def test_a_file_that_appears_while_the_person_types_is_kept(house, file):
    keep(house)

    class Rival(Person):
        def hidden(self, question):
            file.write_text("mine")
            return PHRASE

    terminal = Terminal(house, person=Rival(), interactive=True)
    code = terminal.run("export", str(file))

    assert (code, file.read_text()) == (1, "mine")


def test_force_writes_over_it(house, file):
    keep(house)
    file.write_text("mine")
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("export", str(file), "--force")

    assert (code, len(accounts_in(file))) == (0, 1)


@pytest.mark.parametrize("target", ["/dev/null", "elsewhere", "nowhere"])
def test_not_even_force_puts_a_file_in_the_place_of_a_link_or_a_device(house, file, target):
    keep(house)
    (file.parent / "elsewhere").write_text("mine")
    file.symlink_to(target)
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    codes = [terminal.run("export", str(file), "--force"), terminal.run("export", "/dev/null", "--force")]

    assert codes == [1, 1]
    assert file.is_symlink()
    assert (file.parent / "elsewhere").read_text() == "mine"
    assert "no ordinary file" in " ".join(terminal.err.split())


@pytest.mark.parametrize(
    ("line", "message"), [((), "no account to export"), (("--account", "nobody"), "no account “nobody”")]
)
def test_nothing_to_export_is_said_before_anything_is_asked(house, file, line, message):
    terminal = Terminal(house, PHRASE, PHRASE)

    code = terminal.run("export", str(file), *line)

    assert (code, file.exists(), terminal.person.asked) == (1, False, [])
    assert message in terminal.err


def test_without_the_master_key_nothing_is_exported(house, config, file):
    from doorkey.bootstrap import open_house

    keep(house)
    (config.parent / "doorkey.key").unlink()

    with open_house(here=config.parent) as locked:
        code = Terminal(locked, stdin=f"{PHRASE}\n").run("export", str(file))

    assert (code, file.exists()) == (6, False)


def test_terms_that_keep_a_sign_in_at_home_are_said(house, file):
    provider = house.catalog.provider("openai")
    method = provider.method("chatgpt")
    keep(house, provider="openai", method=method.id, name="plan")
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("export", str(file))

    assert code == 0
    assert "By its terms, plan (openai) stays on your own computers" in terminal.err


def test_what_a_vendors_tool_keeps_is_left_out_and_said(house, file):
    keep(house, name="work")
    keep(house, provider="anthropic", method="console", name="vendor")
    terminal = Terminal(house, stdin=f"{PHRASE}\n")

    code = terminal.run("export", str(file))

    assert (code, [account.name for account in accounts_in(file)]) == (0, ["work"])
    assert "Left out: vendor (anthropic)" in terminal.err
