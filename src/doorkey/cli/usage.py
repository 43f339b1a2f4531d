"""`doorkey usage`: what the answers of all chats have used, and who paid."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import click

from doorkey.cli.accounts import payer
from doorkey.cli.columns import indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.domain.provider import Payer
from doorkey.domain.usage import Usage
from doorkey.service.listing import iso

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
    """Show what your chats have used, and who paid.

    Tokens are counted by account, model and payer. They are not priced: a plan bills none, and a local model costs
    nothing.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """Sum up the answers that are kept; those of deleted chats are gone with them."""
    since = house.services.clock.now() - timedelta(days=options.days) if options.days else None
    used = house.stores.ledger.usage(since)
    if options.as_json:
        io.json({"since": iso(since), "usage": [asdict(each) for each in used]})
        return
    for line in table(used, io):
        io.result(line)
    if not used:
        io.say("No answers yet. `doorkey chat` asks a model.")


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
