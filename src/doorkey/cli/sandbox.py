"""`doorkey sandbox`: the practice provider, in the foreground."""

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from doorkey.adapters.paths import Folders
from doorkey.cli.io import Io
from doorkey.cli.shell import Shell
from doorkey.errors import PortBusy
from doorkey.providers.sandbox import PORT


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    port: int = PORT


@click.command()
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Listen here; 0 is any free port.",
)
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Run the practice provider until Ctrl-C.

    It is a provider like the real ones, on this computer and at no cost. The first line on stdout is its address,
    which is also a page where faults can be switched on.
    """
    return shell.run_outside(run, Options(**options))


def run(options: Options, io: Io) -> None:
    """Serve; the accounts of the practice provider outlive the process, as a real one's do."""
    from doorkey.sandbox import server

    state_file = Folders.of(os.environ).make().data / "sandbox.db"

    def ready(url: str) -> None:
        io.result(url)
        io.say("The practice provider is running. Ctrl-C stops it.")

    try:
        # Ctrl-C is how it ends, also before it serves.
        with suppress(KeyboardInterrupt):
            server.serve(options.port, state_file=state_file, ready=ready)
    except OSError as error:
        raise PortBusy(
            f"Port {options.port} cannot be used: {error.strerror}.",
            hint="The practice provider may run already, also inside the app; `--port 0` takes any free port.",
        ) from error
