"""The app: the page served on loopback until it is interrupted."""

from contextlib import suppress
from socket import socket
from typing import TextIO

from doorkey import __version__
from doorkey.adapters.instance import Instance, ask
from doorkey.bootstrap.house import House
from doorkey.domain.audit import Errand, Surface
from doorkey.service.keeper import PERIOD
from doorkey.service.launch import LaunchGate


def serve_app(house: House, *, port: int | None, no_browser: bool, out: TextIO) -> None:
    """Serve the page until it is interrupted, and print its one-time URL as the first line.

    Where an app already runs over this vault, a new session is opened on that one instead. Raises PortBusy.
    """
    import asyncio

    from doorkey.adapters.serving import hold

    running = ask(house.folders.data)
    if running:
        _present(house, running, no_browser=no_browser, out=out)
        return
    # Who sits at a terminal is asked for a passphrase now; else the page asks, or says what is wrong with the key.
    house.key_readable()
    with hold(port) as holding, suppress(KeyboardInterrupt):
        asyncio.run(_serve(house, holding, no_browser=no_browser, out=out))


async def _serve(house: House, holding: socket, *, no_browser: bool, out: TextIO) -> None:
    import asyncio

    from doorkey.adapters.serving import HOST, serve
    from doorkey.web.app import build

    gate = LaunchGate(house.clock, house.entropy)
    base = f"http://{HOST}:{holding.getsockname()[1]}"

    def mint() -> str:
        token, key = gate.mint()
        return f"{base}/launch?token={token.reveal()}#key={key.reveal()}"

    house.errand = Errand(Surface.APP)
    engine = house.engine()
    await engine.recover()
    opened, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        loop.call_soon_threadsafe(opened.set)

    app = build(
        house.services,
        house.stores,
        engine,
        gate,
        lock=house.unlocking(tell),
        version=__version__,
        folder_check=house.chat_folders.check,
        preview=house.chat_folders.preview,
    )
    instance = Instance(house.folders.data, mint)

    beside: set[asyncio.Future[None]] = set()

    keeper = house.keeper()

    async def keep() -> None:
        while True:
            await asyncio.to_thread(keeper.look)
            # What fell due while the vault was locked is renewed when it opens.
            with suppress(TimeoutError):
                await asyncio.wait_for(opened.wait(), PERIOD.total_seconds())
                await asyncio.to_thread(house.vault.settle)
            opened.clear()

    async def ready() -> None:
        _present(house, mint(), no_browser=no_browser, out=out)
        # The clients of the providers take seconds to load; the first page must not wait for them.
        beside.update({asyncio.ensure_future(engine.warm()), asyncio.ensure_future(keep())})

    try:
        await serve(app, holding, ready)
    finally:
        for task in beside:
            task.cancel()
        instance.close()
        house.browser.close()
        await engine.close()


def _present(house: House, url: str, *, no_browser: bool, out: TextIO) -> None:
    print(url, file=out, flush=True)
    if not no_browser:
        house.browser.open_private(url)
