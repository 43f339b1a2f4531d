"""`doorkey use`: choose the account that serves its provider."""

from dataclasses import dataclass
from typing import Any

import click

from doorkey.cli.io import Io, printable
from doorkey.cli.shell import House, Shell


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    account: str


@click.command()
@click.argument("account")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Make ACCOUNT the default of its provider.

    ACCOUNT is a name, an e-mail address or an id, as `doorkey accounts` shows them.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Set the default; nobody is signed out by it."""
    book = house.services.book
    account = book.find(options.account)
    book.use(account)
    io.say(printable(f"{account.label} serves {account.provider} from now on."))
