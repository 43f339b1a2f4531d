"""What `doorkey key` says and does."""

import json
from base64 import b64encode

import pytest

from doorkey.bootstrap import open_house
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from tests.cli.acme import keep
from tests.cli.terminal import Terminal

WRONG = b64encode(bytes(32)).decode()


class Typist:
    """Fill `ports.Passphrases`."""

    def ask(self):
        return Secret("correct horse battery staple")

    choose = ask


@pytest.fixture
def key_file(house, config):
    keep(house)
    return config.parent / "doorkey.key"


@pytest.fixture
def locked(key_file, config):
    """The same house, opened anew without its key."""
    key_file.rename(key_file.with_name("elsewhere"))
    with open_house(here=config.parent) as opened:
        yield opened


def rotated(house):
    """Rotate, and return the code."""
    terminal = Terminal(house)
    assert terminal.run("key", "rotate") == 0
    return terminal.out.strip()


def test_an_empty_vault_has_no_key_yet(house):
    terminal = Terminal(house)

    code = terminal.run("key", "show", "--json")

    shown = json.loads(terminal.out)
    assert (code, shown["source"], shown["opens"]) == (0, None, True)


@pytest.mark.usefixtures("key_file")
def test_people_read_where_it_is_and_what_that_protects_from(house):
    terminal = Terminal(house)

    code = terminal.run("key", "show")

    assert code == 0
    assert terminal.out.startswith("file ")
    assert "same folder" in terminal.out
    assert "`doorkey key rotate` makes one" in terminal.out


@pytest.mark.usefixtures("key_file")
def test_at_a_terminal_no_line_about_the_key_is_wider_than_it(house):
    terminal = Terminal(house, interactive=True)

    terminal.run("key", "show")

    assert max(map(len, terminal.out.splitlines())) <= 80
    assert "a copy of the folder is enough to read everything" in " ".join(terminal.out.split())


def test_a_missing_key_is_a_fact_and_no_failure(locked):
    terminal = Terminal(locked)

    code = terminal.run("key", "show", "--json")

    shown = json.loads(terminal.out)
    assert (code, shown["source"], shown["opens"]) == (0, "file", False)
    assert "missing" in shown["problem"]
    assert "doorkey.key" in shown["hint"]


@pytest.mark.parametrize("line", ["key use file", "key use keyring", "key rotate", "token acme"])
def test_without_the_key_nothing_is_done(locked, key_file, line):
    terminal = Terminal(locked)

    code = terminal.run(*line.split())

    assert (code, terminal.out) == (6, "")
    assert not key_file.exists()


def test_the_code_alone_is_printed_on_stdout(house, key_file):
    terminal = Terminal(house)

    code = terminal.run("key", "rotate")

    assert code == 0
    assert len(terminal.out) == 35
    assert terminal.out.strip() not in terminal.err
    assert terminal.out.strip() not in key_file.read_text()


@pytest.mark.usefixtures("key_file")
def test_programs_get_the_code_as_json(house):
    terminal = Terminal(house)

    terminal.run("key", "rotate", "--json")

    assert list(json.loads(terminal.out)) == ["recovery_code"]


@pytest.mark.parametrize("interactive", [True, False])
def test_the_code_brings_a_lost_key_back(house, key_file, config, interactive):
    code = rotated(house)
    key_file.unlink()

    with open_house(here=config.parent) as opened:
        terminal = Terminal(opened, *[code][:interactive], stdin="" if interactive else f"{code}\n")
        ended = terminal.run("key", "recover")

    assert ended == 0
    assert key_file.exists()
    assert code not in terminal.err


@pytest.mark.parametrize("code", ["", "canary", "0000-0000-0000-0000-0000-0000-0000"])
def test_a_wrong_code_opens_nothing_and_is_not_repeated(locked, key_file, code):
    terminal = Terminal(locked, stdin=f"{code}\n")

    ended = terminal.run("key", "recover")

    assert ended == 6
    assert not code or code not in terminal.err
    assert not key_file.exists()


@pytest.mark.usefixtures("key_file")
def test_a_passphrase_is_chosen_and_then_asked_for(house, config):
    account = house.services.book.all()[0].id
    with open_house(here=config.parent, passphrases=Typist()) as opened:
        code = Terminal(opened).run("key", "use", "passphrase")

    with open_house(here=config.parent, passphrases=Typist()) as opened:
        token = opened.vault.accounts.load(account).tokens.access.reveal()
    with open_house(here=config.parent) as opened, pytest.raises(KeyUnreadable, match="nobody can be asked"):
        opened.vault.accounts.load(account)

    assert (code, token) == (0, "access-one")


def test_the_key_of_the_config_s_command_is_used(house, config, key_file):
    text = config.read_text()
    config.write_text(f'key_command = "cat {config.parent / "mine"}"\n{text}')
    (config.parent / "mine").write_text(WRONG)

    with open_house(here=config.parent) as opened:
        code = Terminal(opened).run("key", "use", "command")
        readable = opened.key_readable()

    assert (code, readable) == (0, True)
    assert not key_file.exists()


@pytest.mark.usefixtures("key_file")
def test_a_variable_that_goes_before_the_new_source_is_told(config, monkeypatch):
    monkeypatch.setenv("DOORKEY_KEY", WRONG)
    with open_house(here=config.parent) as opened:
        Terminal(opened).run("key", "use", "environment")
        terminal = Terminal(opened)

        code = terminal.run("key", "use", "file")

    assert code == 0
    assert "environment" in terminal.out
    assert "unset it" in terminal.out
