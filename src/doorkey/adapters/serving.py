"""Serves the page: on a loopback port that is held before anything is promised, until the person ends it."""

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from doorkey.errors import PortBusy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"
DEFAULT_PORT = 8377
TRIES = 20
# How long an open stream may hold up the end (seconds).
FAREWELL = 1


def hold(port: int | None) -> socket.socket:
    """Bind a port on loopback: the named one, else the usual one, else the next that is free.

    Raises PortBusy when the named port is taken, or all of the usual ones are.
    """
    ports = [port] if port is not None else list(range(DEFAULT_PORT, DEFAULT_PORT + TRIES))
    for wanted in ports:
        holding = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holding.bind((HOST, wanted))
            holding.listen(128)
        except OSError:
            holding.close()
            continue
        return holding
    raise PortBusy(
        f"Port {port} is taken." if port is not None else f"The ports {ports[0]} to {ports[-1]} are all taken.",
        hint="Close the program that holds it, or choose another with --port.",
    )


async def serve(app: Any, holding: socket.socket, ready: "Callable[[], Awaitable[None]]") -> None:
    """Serve until the person interrupts; `ready` runs once the first request could be answered."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=FAREWELL,
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[holding]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    await ready()
    with suppress(asyncio.CancelledError):
        await serving
