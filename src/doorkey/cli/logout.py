"""`doorkey logout`: forget an account here, and end its sign-in at the provider where that was asked for."""

from dataclasses import dataclass
from typing import Any

import click

from doorkey.cli.io import Io, printable
from doorkey.cli.shell import House, Shell
from doorkey.domain.account import Account


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    account: str
    revoke: bool = False


@click.command()
@click.argument("account")
@click.option("--revoke", is_flag=True, help="Also end the sign-in at the provider.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Forget ACCOUNT on this computer.

    Without --revoke the sign-in itself stays valid at the provider until it lapses. With it, every other program
    that uses this same sign-in is signed out as well.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Forget the account in any case; what the provider did not confirm decides the exit code."""
    book = house.services.book
    account = book.find(options.account)
    farewell = book.leave(account, revoke_too=options.revoke)
    label = printable(account.label)
    if farewell.revoked:
        io.say(f"{label} is forgotten here, and {account.provider} has ended the sign-in.")
        return
    io.say(f"{label} is forgotten here.")
    if account.owner and farewell.unconfirmed is None:
        io.say(f"{account.owner.label} keeps the sign-in, and stays signed in.")
        return
    place = _manage_url(account, house)
    if farewell.unconfirmed is None:
        io.say(f"{account.provider} was not told: what was kept here stays valid there until it ends.")
        io.say(f"End it at {place}." if place else "End it on the provider's own page.")
        return
    io.say(f"The end of the sign-in at {account.provider} could not be confirmed.")
    if place and not account.owner:
        farewell.unconfirmed.hint = f"End it at {place}."
    raise farewell.unconfirmed


def _manage_url(account: Account, house: House) -> str | None:
    """Say where a person ends a sign-in themselves; None where the config no longer has the provider."""
    for provider in house.services.catalog.all():
        if provider.id == account.provider and (method := provider.method(account.method)):
            return method.manage_url
    return None
