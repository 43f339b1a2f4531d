"""`doorkey usage`: what the answers of all chats have used and who paid, and how much of each account is left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from doorkey.cli.accounts import payer
from doorkey.cli.columns import away, indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.domain.provider import Payer
from doorkey.domain.usage import Usage
from doorkey.domain.window import TIGHT
from doorkey.service.listing import error_json, iso

LONGEST = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; `days` None means since the first chat that is still here."""

    days: int | None = None
    as_json: bool = False


@click.command()
@click.option("--days", metavar="N", type=click.IntRange(1, LONGEST), help="Only of the last N days.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Show what was used, who paid, and what is left.

    Tokens are counted by account, model and payer. They are not priced: a plan bills none, and a local model costs
    nothing. How much is used of an account is what its provider last told; no prompt is ever sent to find out.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Sum up the answers that are kept; those of deleted chats are gone with them. Then tell the windows."""
    since = house.services.clock.now() - timedelta(days=options.days) if options.days else None
    used = house.stores.ledger.usage(since)
    faults = house.services.meters.look_at_all()
    accounts = house.services.listing.windows(house.services.meters.known())
    if options.as_json:
        told = {account: error_json(fault) for account, fault in faults.items()}
        listed = [entry | {"fault": told.get(entry["account"])} for entry in accounts]
        io.json({"since": iso(since), "usage": [asdict(each) for each in used], "accounts": listed})
        return
    for line in table(used, io):
        io.result(line)
    if not used:
        io.say("No answers yet. `doorkey chat` asks a model.")
    for line in meters(accounts, io, house.services.clock.now()):
        io.result(line)
    for entry in accounts:
        if entry["account"] in faults:
            io.say(printable(f"{entry['label']} · {entry['provider']} could not be asked: {faults[entry['account']]}"))


def meters(accounts: Sequence[Mapping[str, Any]], io: Io, now: datetime) -> Iterable[str]:
    """Draw each account with its windows; of an unknown one only the page that shows it is named."""
    for entry in accounts:
        if entry["windows"] or (entry["payer"] == Payer.PLAN and entry["manage_url"]):
            yield printable(f"{entry['label']} · {entry['provider']}")
        for window in entry["windows"]:
            tight = (window["used_percent"] or 0) >= TIGHT and not window["rate"]
            line = indented([printable(window["name"]), *reading(window, now)], io.width)
            yield io.paint(line, Style.WARN if tight else Style.DIM)
        if not entry["windows"] and entry["payer"] == Payer.PLAN and entry["manage_url"]:
            yield io.paint(indented([f"no reading; {entry['manage_url']} shows it"], io.width), Style.DIM)


def reading(window: Mapping[str, Any], now: datetime) -> Iterable[str]:
    """Say how much is used, until when, and how old that is."""
    used, resets = window["used_percent"], window["resets_at"]
    yield "not known since its reset" if used is None else f"{used:g} % used"
    yield f"resets {away(resets, now)}" if resets else ""
    yield f"as of {away(window['as_of'], now)}"


def table(used: Sequence[Usage], io: Io) -> Iterable[str]:
    """Draw two lines for each account and model, and what comes together for each payer where there are several."""
    for each in used:
        yield printable(f"{each.label} · {each.provider}:{each.model}")
        yield io.paint(indented([payer(each.payer, None), *counts([each])], io.width), Style.DIM)
    if len(used) > 1:
        yield "Together"
        for kind in Payer:
            if paid := [each for each in used if each.payer is kind]:
                yield indented([payer(kind, None), *counts(paid)], io.width)


def counts(used: Sequence[Usage]) -> Iterable[str]:
    """Count answers, and tokens in and out."""
    answers = sum(each.answers for each in used)
    yield f"{answers:,} answer{'' if answers == 1 else 's'}"
    yield f"tokens: {sum(each.tokens_in for each in used):,} in, {sum(each.tokens_out for each in used):,} out"
