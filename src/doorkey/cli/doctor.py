"""`doorkey doctor`: what works here and what does not, with one fix for each finding."""

from dataclasses import asdict, dataclass
from typing import Any

import click

from doorkey.cli import failures
from doorkey.cli.columns import broken
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.errors import DoorkeyError
from doorkey.service.checkup import Checkup, Finding

NAME = 11
"""How wide the names of the checks are."""
TAKEN = NAME + 7
"""What stands before a text, with the two more before what follows a fix's first line."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    every: bool = False
    as_json: bool = False


@click.command()
@click.option("--all", "every", is_flag=True, help="Try every provider, not only those with an account or a key.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Check this installation, and the way to its providers.

    The exit code is 1 when something needs a hand; each finding comes with its fix.
    """
    return shell.run(run, Options(**options), shut=run_shut)


def run(options: Options, io: Io, house: House) -> int:
    """Look at everything and tell."""
    return report(options, io, house.checkup(every=options.every))


def run_shut(options: Options, io: Io, error: DoorkeyError) -> int:
    """Look at what can be seen while the vault does not open, and tell why it does not."""
    from doorkey.bootstrap.checkup import checkup_when_shut

    return report(options, io, checkup_when_shut(error, every=options.every))


def report(options: Options, io: Io, checkup: Checkup) -> int:
    """Tell the findings; what takes long is told when it comes."""
    found = []
    for finding in checkup.findings():
        found.append(finding)
        if not options.as_json:
            tell(io, finding)
    if options.as_json:
        io.json({"findings": [asdict(finding) for finding in found]})
    return 0 if all(finding.ok for finding in found) else failures.FAILED


def tell(io: Io, finding: Finding) -> None:
    """Print a finding, and below it what to do."""
    mark = io.paint("ok", Style.GOOD) if finding.ok else io.paint("!!", Style.BAD)
    first, *rest = broken(printable(finding.text), io, TAKEN)
    io.result(f"{mark}  {finding.check:{NAME}} {first}")
    for line in rest:
        io.result(f"    {'':{NAME}} {line}")
    if finding.fix:
        first, *rest = broken(f"→ {printable(finding.fix)}", io, TAKEN)
        for line in (first, *(f"  {line}" for line in rest)):
            io.result(f"    {'':{NAME}} {line}")
