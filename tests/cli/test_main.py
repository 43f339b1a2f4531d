"""How the command line as a whole fails, and what its help looks like."""

import pytest
from click.testing import CliRunner

from doorkey import errors
from doorkey.cli import failures
from doorkey.cli.main import COMMANDS, doorkey
from doorkey.errors import DoorkeyError
from tests.cli.terminal import Terminal

CODES = {
    errors.SignInFailed: 1,
    errors.ReplyRejected: 1,
    errors.UnknownName: 1,
    errors.Misconfigured: 1,
    errors.PortBusy: 1,
    errors.StorageFull: 1,
    errors.SignInNeeded: 3,
    errors.ProviderUnavailable: 4,
    errors.StoreBusy: 4,
    errors.RefreshTimedOut: 4,
    errors.ConsentNeeded: 5,
    errors.PolicyRefused: 5,
    errors.ApprovalRefused: 5,
    errors.KeyUnreadable: 6,
    errors.VaultDamaged: 6,
    errors.BundleRejected: 1,
    errors.UsageLimitReached: 7,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_each_error_has_its_exit_code(kind: type[DoorkeyError], code):
    terminal = Terminal(kind("It went wrong.", hint="Do this."))

    ended = terminal.run("accounts")

    assert (ended, terminal.out) == (code, "")
    assert terminal.err == "error: It went wrong.\nhint: Do this.\n"


@pytest.mark.parametrize("kind", CODES)
def test_an_error_is_found_again_by_its_code(kind):
    found = failures.of_code(kind.code, "It went wrong.", "Do this.")

    assert (type(found), str(found), found.hint) == (kind, "It went wrong.", "Do this.")


def test_a_mistake_of_ours_shows_no_traceback(monkeypatch):
    monkeypatch.delenv("DOORKEY_DEBUG", raising=False)
    terminal = Terminal(ZeroDivisionError("a secret detail"))

    code = terminal.run("accounts")

    assert code == 1
    assert terminal.err.startswith("error: Doorkey made a mistake (ZeroDivisionError).\nhint: ")
    assert "secret" not in terminal.err


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("DOORKEY_DEBUG", "1")

    with pytest.raises(ZeroDivisionError):
        Terminal(ZeroDivisionError()).run("accounts")


def test_the_word_of_the_system_is_passed_on():
    terminal = Terminal(OSError(28, "No space left on device"))

    code = terminal.run("accounts")

    assert code == 1
    assert terminal.err.startswith("error: No space left on device.\n")


def test_a_mistyped_command_says_where_help_is():
    terminal = Terminal(None)

    code = terminal.run("token", "acme", "--nonsense")

    assert (code, terminal.out) == (2, "")
    assert terminal.err.startswith("error: No such option '--nonsense'.")
    assert terminal.err.endswith("hint: `doorkey token --help` shows how it is used.\n")


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_fits_80_columns(command):
    shown = CliRunner().invoke(doorkey, [*filter(None, [command]), "--help"], terminal_width=80)

    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80
    assert "..." not in shown.output.partition("Commands:")[2]


def test_a_key_that_was_typed_as_an_argument_is_not_repeated(house):
    terminal = Terminal(house)

    code = terminal.run("login", "acme", "--method", "api-key", "sk-canary", "more")

    assert code == 2
    assert "Got unexpected extra arguments." in terminal.err
    assert "canary" not in terminal.err
