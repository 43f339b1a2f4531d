"""`doorkey use`: choose the account that serves its provider, everywhere or in a folder."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from doorkey.cli.columns import columns
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell, selected, usage
from doorkey.domain.account import Account
from doorkey.errors import UnknownName
from doorkey.service.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; `remove` is the provider whose rule is lifted."""

    account: str | None = None
    here: bool = False
    folder: str | None = None
    only: bool = False
    remove: str | None = None
    show: bool = False
    as_json: bool = False


@click.command()
@click.argument("account", required=False)
@click.option("--here", is_flag=True, help="Only in this folder and what lies in it.")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, resolve_path=True),
    help="The same for another folder.",
)
@click.option("--only", is_flag=True, help="Refuse every other account there.")
@click.option("--remove", metavar="PROVIDER", help="Lift the rule of the folder.")
@click.option("--list", "show", is_flag=True, help="Show the rules, and which account serves here.")
@click.option("--json", "as_json", is_flag=True, help="With --list: print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Choose the account that serves, everywhere or in a folder.

    ACCOUNT is a name, an e-mail address or an id, as `doorkey accounts` shows them. Nobody is signed out by it.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Set a default or a rule, lift a rule, or list them."""
    book = house.services.book
    folder = options.folder or (str(house.here) if options.here else None)
    if options.show:
        if options.account or options.remove or options.only:
            raise usage("--list only shows; it takes no ACCOUNT, --only or --remove.")
        show(options, io, house)
    elif options.remove:
        lift(options.remove, folder, io, house)
    elif options.account is None:
        raise usage("Which ACCOUNT? `doorkey accounts` shows them, `doorkey use --list` the rules.")
    elif folder:
        rule(book.find(options.account), folder, io, house, only=options.only)
    elif options.only:
        raise usage("--only belongs to a folder: --here, or --folder FOLDER.")
    else:
        account = book.find(options.account)
        book.use(account)
        io.say(printable(f"{account.label} serves {account.provider} from now on."))


def rule(account: Account, folder: str, io: Io, house: House, *, only: bool) -> None:
    """Let an account serve in a folder, which must be there."""
    if not Path(folder).is_dir():
        raise UnknownName(f"There is no folder {folder}.", hint="Name one that is there.")
    house.services.book.rules.set(Rule(provider=account.provider, folder=folder, account=account.id, only=only))
    alone = ", and nobody else may" if only else ""
    io.say(printable(f"{account.label} serves {account.provider} in {folder}{alone}."))


def lift(provider: str, folder: str | None, io: Io, house: House) -> None:
    """Remove the rule of exactly one folder."""
    if folder is None:
        raise usage("--remove needs a folder: --here, or --folder FOLDER.")
    if not house.services.book.rules.remove(provider, folder):
        raise UnknownName(f"{folder} has no rule for {provider}.", hint="`doorkey use --list` shows the rules.")
    io.say(printable(f"The rule for {provider} in {folder} is gone."))


def show(options: Options, io: Io, house: House) -> None:
    """List the rules, then who serves each provider here and why."""
    names = {account.id: account.label for account in house.services.book.all()}
    rules = house.services.book.rules.all()
    serving = [each for each in selected(house) if each["selected"]]
    if options.as_json:
        io.json(
            {
                "folder": str(house.here),
                "rules": [asdict(each) | {"label": names.get(each.account)} for each in rules],
                "serving": [
                    {"provider": each["provider"], "account": each["id"], "selected": each["selected"]}
                    for each in serving
                ],
            }
        )
        return
    for line in columns(list(_rows(rules, names)), io.width) if rules else ():
        io.result(printable("  ".join(line).rstrip()))
    for each in serving:
        who = each["name"] or each["identity"] or each["id"]
        io.result(io.paint(printable(f"here: {each['provider']} is served by {who} ({each['selected']})"), Style.DIM))
    if not rules:
        io.say("No folder has a rule. `doorkey use ACCOUNT --here` makes one.")


def _rows(rules: Iterable[Rule], names: Mapping[str, str]) -> Iterator[list[str]]:
    for each in rules:
        missing = "" if Path(each.folder).is_dir() else "folder is gone"
        notes = [note for note in ("only" if each.only else "", missing) if note]
        yield [each.folder, each.provider, names.get(each.account, f"{each.account} (gone)"), ", ".join(notes)]
