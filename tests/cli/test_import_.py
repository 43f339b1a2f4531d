"""The list of what other programs keep here, and the questions before anything is taken."""

import json
import os

import pytest

from tests.adapters.imports.foreign import CANARY, claude_login, codex_login, write
from tests.cli.terminal import Terminal

KEY = f"sk-{CANARY}"


@pytest.fixture
def dotenv(config):
    """A `.env` in the folder that the command is run in, with a key that Acme's server takes or not."""
    return write(config.parent / ".env", f"ACME_API_KEY={KEY}\nOTHER_SECRET={CANARY}-2\n")


def found_in(terminal):
    return [(each["source"], each["name"], each["outcome"]) for each in json.loads(terminal.out)["found"]]


def test_where_there_is_nothing_the_places_are_named(house, home):
    terminal = Terminal(house)

    code = terminal.run("import")

    assert (code, terminal.out) == (0, "")
    assert "Nothing was found" in terminal.err
    assert f"{home}/.codex/auth.json" in terminal.err


@pytest.mark.usefixtures("dotenv")
def test_a_list_shows_everything_but_what_is_secret(house, home):
    write(home / ".codex" / "auth.json", codex_login())
    write(home / ".claude" / ".credentials.json", claude_login())
    terminal = Terminal(house)

    code = terminal.run("import")

    assert code == 0
    assert "ada@example.com · plus plan · expires in 8 days" in terminal.out
    assert "ACME_API_KEY ********  acme · api-key  new" in terminal.out
    assert "Never imported: Anthropic's terms" in terminal.out
    assert CANARY not in terminal.out + terminal.err
    assert house.services.book.all() == []


@pytest.mark.usefixtures("dotenv")
def test_enter_is_a_no(house):
    terminal = Terminal(house, "")

    code = terminal.run("import")

    assert (code, house.services.book.all()) == (0, [])
    assert terminal.person.asked == ["Import ACME_API_KEY of env? [y/N] "]


def test_a_yes_at_the_terminal_copies_the_key_and_leaves_the_file(house, dotenv):
    before = dotenv.read_bytes()
    terminal = Terminal(house, "y")
    house.transport.send = unreachable

    code = terminal.run("import", "env")

    (account,) = house.services.book.all()
    assert (code, account.provider) == (0, "acme")
    assert f"Imported: {account.label}, which serves acme." in terminal.err
    assert dotenv.read_bytes() == before


def test_a_key_beside_one_that_serves_already_is_not_said_to_serve(house, dotenv):
    Terminal(house, "sk-typed").run("login", "acme", "--method", "api-key", "--name", "work", "--no-check")
    terminal = Terminal(house, "y")
    house.transport.send = unreachable

    terminal.run("import", "env")

    assert "one more account of acme" in terminal.err


def unreachable(request):
    from doorkey.errors import ProviderUnavailable

    raise ProviderUnavailable("Nobody answers.")


@pytest.mark.usefixtures("dotenv")
def test_where_nobody_can_be_asked_a_source_needs_a_yes_of_its_own(house):
    terminal = Terminal(house)

    code = terminal.run("import", "env")

    assert (code, house.services.book.all()) == (5, [])
    assert "add --yes" in terminal.err


@pytest.mark.usefixtures("dotenv")
def test_a_key_that_the_provider_refuses_is_told_and_not_kept(house):
    terminal = Terminal(house)

    code = terminal.run("import", "env", "--yes", "--json")

    told = json.loads(terminal.out)
    assert (code, house.services.book.all()) == (1, [])
    assert (told["imported"], told["failed"][0]["error"], told["failed"][0]["name"]) == (
        [],
        "sign_in_failed",
        "ACME_API_KEY",
    )


@pytest.mark.usefixtures("dotenv")
def test_json_says_what_was_found_and_what_was_imported(house):
    house.transport.send = unreachable
    terminal = Terminal(house)

    code = terminal.run("import", "env", "--yes", "--json")
    again = Terminal(house)
    again.run("import", "--json")

    assert (code, found_in(terminal), found_in(again)) == (
        0,
        [("env", "ACME_API_KEY", "new")],
        [("env", "ACME_API_KEY", "here")],
    )
    assert json.loads(terminal.out)["imported"][0]["provider"] == "acme"
    assert CANARY not in terminal.out + again.out


def test_claude_code_is_refused_with_the_ways_that_are_allowed(house, home):
    write(home / ".claude" / ".credentials.json", claude_login())
    terminal = Terminal(house, "y")

    code = terminal.run("import", "claude-code")

    assert (code, terminal.person.asked) == (5, [])
    assert "doorkey import ant" in terminal.err


def test_codex_is_not_taken_while_its_method_is_off(house, home):
    write(home / ".codex" / "auth.json", codex_login())
    terminal = Terminal(house)

    code = terminal.run("import", "codex", "--yes")

    assert code == 5
    assert "Set enabled = true under [providers.openai.methods.codex]" in terminal.err


def test_a_damaged_file_is_a_warning_among_the_others_and_an_error_alone(house, home, dotenv):
    write(home / ".codex" / "auth.json", "{")
    together, alone = Terminal(house), Terminal(house)

    codes = together.run("import"), alone.run("import", "codex", "--json")

    assert codes == (0, 1)
    assert f"codex: {home}/.codex/auth.json is not whole" in together.err
    assert "ACME_API_KEY" in together.out
    assert json.loads(alone.out)["error"] == "import_rejected"


def test_a_file_that_others_can_read_is_shown_with_the_way_to_close_it(house, dotenv):
    dotenv.chmod(0o644)
    terminal = Terminal(house)

    terminal.run("import")

    assert "Others on this computer may read it: `chmod 600" in terminal.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "--yes"), "Name the source"),
        (("import", "codex", "file"), "A FILE belongs to"),
        (("import", "netrc"), "is not one of"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_a_usage_error(house, arguments, said):
    terminal = Terminal(house)

    assert terminal.run(*arguments) == 2
    assert said in terminal.err


def test_a_source_with_nothing_in_it_and_a_file_that_is_not_there_are_errors(house):
    nothing, missing = Terminal(house), Terminal(house)

    codes = nothing.run("import", "llm"), missing.run("import", "env", "nowhere.env")

    assert codes == (1, 1)
    assert "There is nothing to import in" in nothing.err
    assert "There is no file" in missing.err


def test_a_key_in_a_folder_whose_name_is_no_text_is_imported(house, config):
    file = write(config.parent / os.fsdecode(b"x\xff") / ".env", "ACME_API_KEY=sk-one")
    terminal = Terminal(house)
    house.transport.send = unreachable

    code = terminal.run("import", "env", str(file), "--yes", "--json")

    assert code == 0
    assert json.loads(terminal.out)["found"][0]["file"] == str(file)
    assert terminal.out.encode()
