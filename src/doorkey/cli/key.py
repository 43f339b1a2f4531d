"""`doorkey key`: where the key of the vault is, and how it is moved, rotated and recovered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from doorkey.cli.columns import broken
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.cli.unlocking import hidden
from doorkey.domain.secret import Secret
from doorkey.ports import KeyFacts
from doorkey.service.dates import day
from doorkey.service.listing import iso

SOURCES = ("file", "keyring", "passphrase", "command", "environment")
HEAD = 12
"""How wide the words before what is said about the key are."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `source` where one is chosen."""

    source: str | None = None
    as_json: bool = False


@click.group(no_args_is_help=True)
def command() -> None:
    """Show, move, rotate or recover the key of the vault."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(shell: Shell, /, **options: Any) -> int:
    """Show where the key is, and what that protects from."""
    return shell.run(run_show, Options(**options))


@command.command()
@click.argument("source", type=click.Choice(SOURCES))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def use(shell: Shell, /, **options: Any) -> int:
    """Keep the key in SOURCE from now on.

    A new key is made there, or taken from DOORKEY_KEY or `key_command`; the old one is removed. With the source that
    is in use already, the key is replaced.
    """
    return shell.run(run_use, Options(**options))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print the recovery code as JSON.")
@click.pass_obj
def rotate(shell: Shell, /, **options: Any) -> int:
    """Seal everything again, and make a new recovery code.

    The code is shown once, on stdout. One that was broken off is gone on with.
    """
    return shell.run(run_rotate, Options(**options))


@command.command()
@click.argument("source", type=click.Choice(SOURCES), default="file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def recover(shell: Shell, /, **options: Any) -> int:
    """Open the vault with its recovery code.

    A new key is then kept in SOURCE, by default the file. The code is asked for hidden, or read from stdin.
    """
    return shell.run(run_recover, Options(**options))


def run_show(options: Options, io: Io, house: House) -> None:
    """Tell the facts; a key that is wrong or missing is one of them."""
    tell(house.vault_keys.facts(), options, io)


def run_use(options: Options, io: Io, house: House) -> None:
    """Move, then tell how it stands."""
    tell(house.vault_keys.use(options.source or ""), options, io)


def run_recover(options: Options, io: Io, house: House) -> None:
    """Ask for the code, then tell how it stands."""
    code = hidden(io, "Recovery code (it is not shown): ")
    tell(house.vault_keys.recover(code, options.source or ""), options, io)


def run_rotate(options: Options, io: Io, house: House) -> None:
    """Seal again and show the code, which nobody can show again."""

    def shown(code: Secret) -> None:
        if options.as_json:
            io.json({"recovery_code": code.reveal()})
        else:
            io.say("Everything is sealed under a new key. Your recovery code, which replaces any before it:")
            io.result(code.reveal())
            io.say("Write it down, away from this computer: it opens the vault when the key is lost. It is shown once.")

    def told(left: int) -> None:
        if left:
            io.say(f"{left} secrets are still to be sealed again.")

    house.vault_keys.rotate(shown, told)


def tell(facts: KeyFacts, options: Options, io: Io) -> None:
    """Print how the key stands, for a program or for a person."""
    if options.as_json:
        io.json(
            {
                "source": facts.source,
                "protects": facts.protects,
                "opens": facts.problem is None,
                "problem": facts.problem,
                "hint": facts.hint,
                "recovery_code_at": iso(facts.recovery_code_at),
                "rotating": facts.rotating,
                "left_behind": facts.left_behind,
            }
        )
        return
    source = facts.source or "none yet"
    for head, text in [(io.paint(f"{source:{HEAD}}", Style.BOLD), facts.protects), *rest(facts)]:
        first, *more = broken(printable(text), io, HEAD + 1)
        io.result(f"{head:{HEAD}} {first}")
        for line in more:
            io.result(f"{'':{HEAD}} {line}")


def rest(facts: KeyFacts) -> Iterator[tuple[str, str]]:
    """Say what else matters, each with what to do about it."""
    if facts.problem:
        yield "shut", facts.problem
        if facts.hint:
            yield "", f"→ {facts.hint}"
    if facts.rotating:
        yield "rotation", "Not done yet: `doorkey key rotate` goes on with it."
    if facts.left_behind:
        yield "left behind", f"The former key is still in the {facts.left_behind}; the next change tries to remove it."
    if facts.recovery_code_at:
        yield "recovery", f"A code was made on {day(facts.recovery_code_at.astimezone())}."
    elif facts.source:
        yield "recovery", "There is no code yet: `doorkey key rotate` makes one."
