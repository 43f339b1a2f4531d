"""`doorkey providers`: where one can sign in, and what the terms say about each way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from doorkey.cli.columns import columns
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell

VERDICTS = {"allowed": Style.GOOD, "contested": Style.WARN, "forbidden": Style.BAD}


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    as_json: bool = False


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Show where you can sign in.

    Every provider is shown with its methods, and with what its terms say about each.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> None:
    """List the providers in the order that the page shows them."""
    services = house.services
    listed = services.listing.providers(services.neighbours.running())
    if options.as_json:
        io.json({"providers": listed})
        return
    for line in table(listed, io):
        io.result(line)


def table(listed: Sequence[Mapping[str, Any]], io: Io) -> Iterable[str]:
    """Draw each provider with a line for each of its methods."""
    names = [(f"  {printable(method['name'])}", method["id"]) for entry in listed for method in entry["methods"]]
    named = iter(columns(names, io.width - 48))
    for entry in listed:
        yield f"{io.paint(entry['id'], Style.BOLD)}  {printable(entry['name'])}{_standing(entry, io)}{_here(entry, io)}"
        for method, (name, method_id) in zip(entry["methods"], named, strict=False):
            off = "" if method["enabled"] else _why_not(method)
            yield f"{name}  {method_id}  {_policy(method['policy'], io)}  {io.paint(off, Style.DIM)}".rstrip()


def _standing(entry: Mapping[str, Any], io: Io) -> str:
    if entry["connected"]:
        return f" · {io.paint('connected', Style.GOOD)}"
    if entry["expired"]:
        return f" · {io.paint('sign-in needed', Style.BAD)}"
    return f" · {entry['env_key']['name']} is there" if entry["env_key"] else ""


def _here(entry: Mapping[str, Any], io: Io) -> str:
    if entry["running"] is None:
        return ""
    return (
        f" · {io.paint('running here', Style.GOOD)}" if entry["running"] else f" · {io.paint('not running', Style.DIM)}"
    )


def _policy(policy: Mapping[str, Any], io: Io) -> str:
    verdict = policy["verdict"]
    read_on = f"read {policy['read_on']}" if policy["read_on"] else ""
    return f"{io.paint(verdict.ljust(9), VERDICTS[verdict])}  {read_on:15}"


def _why_not(method: Mapping[str, Any]) -> str:
    return "needs a client id" if method["needs_client_id"] else "off"
