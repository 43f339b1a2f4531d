"""`doorkey restore`: take in what `doorkey export` wrote, after showing it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorkey.cli import passphrase
from doorkey.cli.accounts import payer
from doorkey.cli.columns import away, columns, indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.errors import BundleRejected, ConsentNeeded

if TYPE_CHECKING:
    from doorkey.domain.bundle import Bundle
    from doorkey.service.moving import Move, Moving

STYLES = {"added": Style.GOOD, "replaced": Style.WARN, "kept": Style.DIM}
WORDS = {"added": "new", "replaced": "replaces", "kept": "stays as it is here"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; no `account` means all of them."""

    file: Path
    account: tuple[str, ...] = ()
    replace: bool = False
    yes: bool = False
    as_json: bool = False


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--account", metavar="ACCOUNT", multiple=True, help="Only this one; may be repeated.")
@click.option("--replace", is_flag=True, help="Also take what is here already, in its place.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Take in the accounts of FILE, which `doorkey export` wrote.

    They are shown first, and you are asked. The passphrase is asked for hidden, or read from stdin.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Open the file, show what would happen, and do it after a yes."""
    from doorkey.service.moving import Fate

    moving = house.services.moving
    bundle = opened(options.file, io)
    moves = moving.plan(bundle, options.account, over=options.replace)
    now = house.services.clock.now()
    io.show(f"{printable(str(options.file))}, written {away(bundle.made_at.isoformat(), now)}:\n")
    for line in preview(moves, moving, io, now):
        io.show(line)
    coming = [move for move in moves if move.fate is not Fate.KEPT]
    if coming:
        agree(options, io)
        moving.take_in(bundle, moves)
    if options.as_json:
        io.json({"accounts": [described(move) for move in moves]})
    for line in farewell(coming):
        io.say(line)


def opened(file: Path, io: Io) -> "Bundle":
    """Read and open a file; a passphrase is asked for only where its form is right. Raises BundleRejected."""
    from doorkey.adapters import bundle as sealing
    from doorkey.domain.bundle import unpack

    try:
        with file.open("rb") as stream:
            content = stream.read(sealing.LARGEST + 1)
    except OSError as error:
        raise BundleRejected(f"{file} cannot be read: {error.strerror}.", hint="Name the exported file.") from error
    if len(content) > sealing.LARGEST:
        raise BundleRejected(f"{file} is larger than any export.", hint="Name the exported file.")
    sealed = sealing.read(content)
    packed = sealing.unseal(sealed, passphrase.ask(io))
    try:
        return unpack(packed)
    except ValueError as error:
        raise BundleRejected("What is in the file makes no sense to this Doorkey.", hint="Update Doorkey.") from error


def preview(moves: "Sequence[Move]", moving: "Moving", io: Io, now: datetime) -> Iterable[str]:
    """Draw two lines for each account, without anything secret: who and where and what becomes of it, then the rest."""
    heads = [
        (printable(account.label), printable(f"{account.provider} · {account.method}"), WORDS[move.fate])
        for move in moves
        for account in [move.there.account]
    ]
    for move, (who, where, fate) in zip(moves, columns(heads, io.width), strict=True):
        account = move.there.account
        yield f"  {who}  {where}  {io.paint(fate.rstrip(), STYLES[move.fate])}"
        details = (
            payer(account.payer, account.identity.plan),
            f"expires {away(account.expires_at.isoformat(), now)}" if account.expires_at else None,
            move.reason,
            None if moving.is_known(account) else "config.toml here does not have this method",
        )
        yield io.paint(indented(details, io.width), Style.DIM)


def agree(options: Options, io: Io) -> None:
    """Ask for a yes, unless it was given on the command line. Raises ConsentNeeded."""
    if options.yes:
        return
    if not io.interactive:
        raise ConsentNeeded("Nobody is here to agree, so nothing was restored.", hint="Look at it, then add --yes.")
    if not io.confirm("\nTake them in?"):
        raise ConsentNeeded("Nothing was restored.", hint="Run it again if you change your mind.")


def described(move: "Move") -> dict[str, object]:
    """Describe what became of an account, without anything secret."""
    from doorkey.service.listing import iso

    account = move.there.account
    return {
        "id": move.here.id if move.here else account.id,
        "name": account.name,
        "provider": account.provider,
        "method": account.method,
        "identity": account.identity.label,
        "plan": account.identity.plan,
        "expires_at": iso(account.expires_at),
        "outcome": move.fate.value,
        "reason": move.reason,
    }


def farewell(coming: "Sequence[Move]") -> Iterable[str]:
    """Say what was done, and that only one computer may renew a sign-in from now on."""
    accounts = [move.there.account for move in coming]
    yield f"\nTaken in: {len(accounts)}." if accounts else "\nThere was nothing to take in."
    if renewing := printable(", ".join(account.label for account in accounts if account.renews)):
        yield (
            f"Only one computer may renew a sign-in: most providers end one whose renewal comes from two. Now run "
            f"`doorkey logout` where this came from, without --revoke, for {renewing}."
        )
