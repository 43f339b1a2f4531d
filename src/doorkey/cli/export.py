"""`doorkey export`: accounts with their sign-ins into a file that opens with a passphrase."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from doorkey.cli import passphrase
from doorkey.cli.io import Io, printable
from doorkey.cli.shell import House, Shell
from doorkey.domain.account import Account
from doorkey.errors import BundleRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; no `account` means all of them."""

    file: Path
    account: tuple[str, ...] = ()
    force: bool = False


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--account", metavar="ACCOUNT", multiple=True, help="Only this one; may be repeated.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Write accounts to FILE, sealed with a passphrase.

    The passphrase is asked for hidden, or read from stdin; it is never an argument. Chats are not written.
    `doorkey restore FILE` takes the accounts in elsewhere.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Pack, seal and write; what cannot work is found before the passphrase is asked for."""
    from doorkey.adapters import bundle as sealing
    from doorkey.adapters.whole_file import write_whole
    from doorkey.domain.bundle import pack
    from doorkey.service.moving import named

    check_place(options.file, force=options.force)
    moving = house.services.moving
    bundle = moving.pack(options.account)
    sealed = sealing.seal(pack(bundle), passphrase.choose(io))
    try:
        write_whole(options.file, sealed, over=options.force)
    except FileExistsError as error:
        raise _there_already(options.file) from error
    accounts = [held.account for held in bundle.accounts]
    io.say(f"{_listed(accounts)} can be restored from {options.file}, with the passphrase and not without.")
    if left := [each for each in named(house.services.book.all(), options.account) if moving.stays(each)]:
        io.say(
            f"Left out: {_listed(left)}. The vendor's own tool keeps that sign-in; use it on the other computer too."
        )
    if local := [each for each in accounts if moving.is_local(each)]:
        io.say(f"By its terms, {_listed(local)} stays on your own computers: give the file to nobody else.")
    if renewing := [each for each in accounts if each.renews]:
        io.say(
            f"From the restore on, only one computer may renew {_listed(renewing)}: run `doorkey logout` on the other, "
            "without --revoke."
        )


def check_place(file: Path, *, force: bool) -> None:
    """Raise BundleRejected where something stands in the way; a link or a device is never replaced by a file."""
    if file.exists() and not force:
        raise _there_already(file)
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise BundleRejected(f"{file} is no ordinary file.", hint="Choose another name.")


def _there_already(file: Path) -> BundleRejected:
    return BundleRejected(f"{file} is there already.", hint="Choose another name, or write over it with --force.")


def _listed(accounts: Sequence[Account]) -> str:
    return printable(", ".join(f"{account.label} ({account.provider})" for account in accounts))
