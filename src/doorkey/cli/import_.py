"""`doorkey import`: show what other programs keep on this computer, and take what the person says yes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from doorkey.cli import failures
from doorkey.cli.columns import away, columns, indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell, usage, with_consent
from doorkey.domain.account import Account
from doorkey.domain.finding import SOURCES
from doorkey.domain.secret import STARS
from doorkey.errors import ConsentNeeded, DoorkeyError, ImportRejected
from doorkey.service.importing import Fate, Offer, Survey, offer_json
from doorkey.service.listing import error_json

WORDS = {
    Fate.NEW: "new",
    Fate.REPLACES: "replaces the key from there",
    Fate.HERE: "here already",
    Fate.REFUSED: "not imported",
}
STYLES = {Fate.NEW: Style.GOOD, Fate.REPLACES: Style.WARN, Fate.HERE: Style.DIM, Fate.REFUSED: Style.DIM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; no `source` means all of them."""

    source: str | None = None
    file: Path | None = None
    yes: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Harvest:
    """What became of the offers that somebody said yes to."""

    taken: list[Account] = field(default_factory=list)
    failed: list[tuple[Offer, DoorkeyError]] = field(default_factory=list)


@click.command()
@click.argument("source", required=False, type=click.Choice(SOURCES), metavar="[SOURCE]")
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Bring in what other programs keep here.

    SOURCE is codex, ant, llm, env or claude-code; FILE belongs to env, and is .env by default. What was found is shown
    first, without anything secret, and each part is asked for. The files of other programs are never written.
    """
    if options["file"] and options["source"] != "env":
        raise usage("A FILE belongs to `doorkey import env`.")
    if options["yes"] and not options["source"]:
        raise usage("Name the source that --yes is for.")
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> int:
    """Show what there is, and take what may be taken after a yes."""
    survey = house.services.importing.look(options.source, options.file)
    if not options.as_json:
        show(survey, io, house.services.clock.now())
    if options.source:
        refuse_what_is_not_there(options.source, survey, house)
    harvest = gather([offer for offer in survey.offers if offer.open], options, io, house)
    if options.as_json:
        io.json(described(survey, harvest, house))
    for account in harvest.taken:
        serves = "which serves" if house.services.book.is_default(account) else "one more account of"
        io.say(printable(f"Imported: {account.label}, {serves} {account.provider}."))
    return failures.exit_code(harvest.failed[0][1]) if harvest.failed else 0


def show(survey: Survey, io: Io, now: datetime) -> None:
    """List what was found, or say where nothing was."""
    for line in table(survey.offers, io, now):
        io.result(line)
    for source, problem in survey.problems.items():
        io.say(f"{io.paint('warning:', Style.WARN)} {source}: {printable(str(problem))}")
    if not survey.offers and not survey.problems:
        io.say(printable("Nothing was found. These places were looked at:"))
        for place in survey.places.values():
            io.show(printable(f"  {place}"))


def table(offers: Sequence[Offer], io: Io, now: datetime) -> Iterator[str]:
    """Draw each file with what was found in it, and then what importing that would mean."""
    for (source, file), found in groupby(offers, key=lambda offer: (offer.finding.source, offer.finding.file)):
        yield f"{io.paint(source, Style.BOLD)}  {printable(file)}"
        yield from section(list(found), io, now)


def section(offers: Sequence[Offer], io: Io, now: datetime) -> Iterator[str]:
    """Draw the offers of one file: what and where to and what becomes of it, then whose it is."""
    heads = [(f"  {printable(title(offer))}", printable(way(offer)), WORDS[offer.fate]) for offer in offers]
    for offer, (what, where, fate) in zip(offers, columns(heads, io.width), strict=True):
        yield f"{what}  {where}  {io.paint(fate.rstrip(), STYLES[offer.fate])}"
        if told := indented(map(printable, details(offer, now)), io.width):
            yield io.paint(told, Style.DIM)
    for meaning in dict.fromkeys(offer.finding.meaning for offer in offers if offer.provider):
        yield indented([printable(meaning)], io.width, 2)
    if warning := offers[0].finding.warning:
        yield io.paint(indented([printable(warning)], io.width, 2), Style.WARN)


def title(offer: Offer) -> str:
    """Name what was found, a key with stars in its place."""
    return f"{offer.finding.name} {STARS}" if offer.finding.secret else offer.finding.name


def way(offer: Offer) -> str:
    """Say which provider and method it would serve."""
    return f"{offer.provider.id} · {offer.method.id}" if offer.provider and offer.method else "not known here"


def details(offer: Offer, now: datetime) -> Iterator[str]:
    """Say whose it is, on which plan, until when, and why it is not imported."""
    finding, who = offer.finding, offer.finding.identity
    if who.label:
        yield who.label
    if who.plan:
        yield f"{who.plan} plan"
    if finding.expires_at:
        ran_out = "ran out" if finding.expires_at <= now else "expires"
        yield f"{ran_out} {away(finding.expires_at.isoformat(), now)}"
    if offer.reason:
        yield offer.reason


def refuse_what_is_not_there(source: str, survey: Survey, house: House) -> None:
    """Raise what keeps a source that was asked for from being imported at all."""
    for problem in survey.problems.values():
        raise problem
    if not survey.offers:
        raise ImportRejected(f"There is nothing to import in {survey.places[source]}.")
    if all(offer.fate is Fate.REFUSED for offer in survey.offers):
        house.services.importing.take(survey.offers[0])


def gather(offers: Sequence[Offer], options: Options, io: Io, house: House) -> Harvest:
    """Ask for each offer, and take it after a yes; one that fails does not keep the others out."""
    harvest = Harvest()
    if not (options.yes or io.interactive):
        if options.source and offers:
            raise ConsentNeeded("Nobody is here to agree, so nothing was imported.", hint="Look at it, then add --yes.")
        return harvest
    for offer in offers:
        if not (options.yes or io.confirm(question(offer))):
            continue
        try:
            harvest.taken.append(take(offer, io, house))
        except DoorkeyError as error:
            failures.explain(io, error)
            harvest.failed.append((offer, error))
    return harvest


def question(offer: Offer) -> str:
    """Ask for one offer by what tells it from the others."""
    who = offer.finding.identity.label
    return printable(f"Import {offer.finding.name} of {offer.finding.source}{f' ({who})' if who else ''}?")


def take(offer: Offer, io: Io, house: House) -> Account:
    """Import one offer; a yes to the terms of its method is asked for by itself."""
    return with_consent(io, house.services.consents, lambda: house.services.importing.take(offer))


def described(survey: Survey, harvest: Harvest, house: House) -> dict[str, object]:
    """Describe what was found and what became of it, without anything secret."""
    return {
        "found": [offer_json(offer) for offer in survey.offers],
        "problems": [
            {"source": source, "file": survey.places[source], **error_json(problem)}
            for source, problem in survey.problems.items()
        ],
        "imported": [house.services.listing.account(account) for account in harvest.taken],
        "failed": [
            {"source": offer.finding.source, "name": offer.finding.name, **error_json(error)}
            for offer, error in harvest.failed
        ],
    }
