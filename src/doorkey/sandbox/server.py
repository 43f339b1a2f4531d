"""Running the practice provider on loopback: in the foreground, or in a thread of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from doorkey.sandbox.app import Sandbox

DEFAULT_PORT = 8378
_PACE = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox that is being served by a background thread."""

    sandbox: Sandbox
    _server: uvicorn.Server
    _thread: threading.Thread

    @property
    def url(self) -> str:
        """Give its address."""
        return self.sandbox.base_url

    def stop(self) -> None:
        """Stop serving and wait for the end; streams that are open are cut."""
        self._server.should_exit = True
        self._thread.join()


def serve(
    port: int = DEFAULT_PORT, *, state_file: Path | None = None, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted; `ready` is told the address. Raises OSError when the port is busy."""
    listener = _listen(port)
    sandbox = Sandbox(_url(listener), state_file=state_file, pace=_PACE)
    if ready is not None:
        ready(sandbox.base_url)
    with contextlib.suppress(KeyboardInterrupt):
        _server(sandbox).run([listener])
    sandbox.close()


def start(port: int = 0, state_file: Path | None = None, *, pace: float = 0.0) -> Running:
    """Serve in a background thread; port 0 is any free one. Raises OSError when the port is busy."""
    listener = _listen(port)
    sandbox = Sandbox(_url(listener), state_file=state_file, pace=pace)
    server = _server(sandbox)

    def run() -> None:
        server.run([listener])
        sandbox.close()

    # The socket listens already: whoever connects before the loop runs waits in its queue.
    thread = threading.Thread(target=run, name="doorkey-sandbox", daemon=True)
    thread.start()
    return Running(sandbox=sandbox, _server=server, _thread=thread)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _server(sandbox: Sandbox) -> uvicorn.Server:
    # Our faults break connections on purpose: uvicorn would report each as a failure of the app.
    config = uvicorn.Config(
        sandbox.app,
        access_log=False,
        log_level="critical",
        lifespan="off",
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
