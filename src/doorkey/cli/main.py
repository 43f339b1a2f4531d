"""The `doorkey` command: finds the file of each command when it is called, and lets no traceback out."""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from keyword import iskeyword
from typing import NoReturn

import click

from doorkey.cli import failures
from doorkey.cli.io import Io
from doorkey.cli.shell import House, Shell

COMMANDS = (
    "open",
    "login",
    "accounts",
    "use",
    "token",
    "logout",
    "providers",
    "models",
    "chat",
    "usage",
    "audit",
    "import",
    "export",
    "restore",
    "key",
    "sandbox",
    "doctor",
)


class Commands(click.Group):
    """Each command's file is loaded when the command is named, so that `doorkey token` starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order that a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        # `import` belongs to Python, so its file has another name.
        file = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"doorkey.cli.{file}").command
        return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Without a command, `doorkey` opens the app.",
)
@click.version_option(package_name="doorkey", message="doorkey %(version)s")
@click.pass_context
def doorkey(context: click.Context) -> int:
    """One door key for every model provider: sign in with the accounts you already have."""
    if context.invoked_subcommand is None:
        opening = doorkey.get_command(context, "open")
        return int(context.invoke(opening)) if opening else 0
    return 0


def main() -> None:
    """Be the console script."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            # A terminal that cannot show a character shows a mark; that is no reason to fail.
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # The process's own are TextIOWrappers.
    signal.signal(signal.SIGTERM, _leave)
    # A core dump would hold every token in clear.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    io = Io.of_process()
    code = start(sys.argv[1:], Shell(io, lambda: open_house(io)))
    _finish_output()
    sys.exit(code)


def start(arguments: Sequence[str], shell: Shell) -> int:
    """Run one command line and return its exit code."""
    try:
        return int(doorkey.main(arguments, prog_name="doorkey", standalone_mode=False, obj=shell) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        shell.io.say(error.format_message())
        return failures.USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        known = context.command_path if context else "doorkey"
        failures.tell(shell.io, _without_values(error.format_message()), f"`{known} --help` shows how it is used.")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return failures.INTERRUPTED
    except Exception as error:
        # The last line of defence: a person reads words, not a traceback.
        if os.environ.get("DOORKEY_DEBUG") == "1":
            raise
        failures.tell(shell.io, *_unforeseen(error))
        return failures.FAILED


def _without_values(message: str) -> str:
    """Leave out what was typed too much: it may be a key, which a screen must not repeat."""
    begins, _, _ = message.partition(" (")
    return f"{begins}." if message.startswith("Got unexpected extra argument") else message


def open_house(io: Io | None = None) -> AbstractContextManager[House]:
    """Open the vault that the environment names; its passphrase, where it has one, is asked for on `io`."""
    from doorkey import bootstrap
    from doorkey.cli.unlocking import TerminalPassphrases

    return bootstrap.open_house(passphrases=TerminalPassphrases(io) if io else None)


def _leave(number: int, _: object) -> NoReturn:
    """End as after Ctrl-C instead of at once: what was sent to a provider is still finished and kept."""
    raise SystemExit(128 + number)


def _unforeseen(error: Exception) -> tuple[str, str]:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}.", "Run `doorkey doctor`; DOORKEY_DEBUG=1 shows where it happened."
    return f"Doorkey made a mistake ({type(error).__name__}).", "DOORKEY_DEBUG=1 shows where; please report it."


def _finish_output() -> None:
    """Give stdout away when nobody takes the rest of it, so that the interpreter does not complain at its end."""
    if sys.__stdout__ is None:
        return
    try:
        sys.__stdout__.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
