"""`doorkey open`: start the app on this computer and open its page."""

from dataclasses import dataclass
from typing import Any

import click

from doorkey.cli.io import Io
from doorkey.cli.shell import Shell


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `port` None means the usual one, or the next that is free."""

    port: int | None = None
    no_browser: bool = False


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="Listen here; 0 is any free port.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Open the app in the browser.

    The first line on stdout is the address of the page. It works once. A second `doorkey open` opens the app that
    runs already.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: Any) -> None:
    """Serve the app until it is interrupted."""
    from doorkey import bootstrap

    bootstrap.serve_app(house, port=options.port, no_browser=options.no_browser, out=io.stdout)
