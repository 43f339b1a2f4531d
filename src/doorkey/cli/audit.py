"""`doorkey audit`: who did what with which account."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from doorkey.cli.columns import indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.domain.audit import Action, Entry
from doorkey.errors import UnknownName
from doorkey.service.listing import iso

NEWEST = 50
MOST = 100_000
STYLES = {
    Action.EXPORTED: Style.WARN,
    Action.RESTORED: Style.WARN,
    Action.REVOKED: Style.WARN,
    Action.FORGOT: Style.WARN,
    Action.USED: Style.DIM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for."""

    account: str | None = None
    limit: int = NEWEST
    as_json: bool = False


@click.command()
@click.option("--account", metavar="ACCOUNT", help="Only of this account: name, e-mail or id.")
@click.option("--limit", metavar="N", type=click.IntRange(1, MOST), default=NEWEST, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Show who did what with which account, newest first.

    Uses, renewals, sign-ins, exports and ends of accounts are written down, by the app, by commands and by programs.
    No secret is.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Read the audit; an account that was forgotten is still found by its id."""
    audit = house.stores.audit
    entries = audit.read(options.limit, _account_id(options.account, house) if options.account else None)
    if options.as_json:
        last_uses = {account: iso(at) for account, at in audit.last_uses().items()}
        io.json({"entries": [asdict(entry) | {"at": iso(entry.at)} for entry in entries], "last_uses": last_uses})
        return
    for line in table(entries, io):
        io.result(line)
    if not entries:
        io.say("Nothing was written down yet.")


def table(entries: Sequence[Entry], io: Io) -> Iterable[str]:
    """Draw two lines for each entry: when, what and which account, then by whom. Times are this computer's."""
    for entry in entries:
        when = f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}"
        what = entry.action.replace("_", " ")
        style = STYLES.get(entry.action)
        yield f"{when}  {io.paint(what, style) if style else what}  {printable(entry.label)}"
        where = [f"{entry.provider} · {entry.method}", entry.account, f"by the {entry.surface}", entry.detail]
        yield io.paint(indented((part and printable(part) for part in where), io.width), Style.DIM)


def _account_id(text: str, house: House) -> str:
    try:
        return house.services.book.find(text).id
    except UnknownName:
        # One that was forgotten is still known here, by its id.
        if house.stores.audit.read(1, text):
            return text
        raise
