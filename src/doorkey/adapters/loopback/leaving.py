"""One attempt per port: a listener of ours gives its port up to the next sign-in, which asks with the port's secret.

The secret lies in a private file beside the vault, so that only its owner can ask. It is made anew for each listener:
to a program that has taken the port since, it is worth nothing.
"""

from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from socket import create_connection, socket
from time import monotonic

from doorkey.adapters.whole_file import write_whole
from doorkey.errors import StorageFull

PATH = "/doorkey/leave"
HEADER = "X-Doorkey-Leave"
PATIENCE = 2.0


class PortSecrets:
    """The secrets of the ports that are listened on over one vault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, port: int) -> str | None:
        """Make the secret of a port that is held now; None where it cannot be kept, and so nobody can ask."""
        secret = token_urlsafe(32)
        try:
            write_whole(self._file(port), secret.encode(), over=True)
        except StorageFull:
            return None
        return secret

    def remove(self, port: int, secret: str) -> None:
        """Forget the secret of a port that is free again, unless the next listener has made its own."""
        if self._read(port) == secret:
            with suppress(OSError):
                self._file(port).unlink()

    def ask_to_leave(self, host: str, port: int) -> bool:
        """Ask whoever holds a port to give it up, where that is a listener of ours; False where nobody did."""
        secret = self._read(port)
        if secret is None:
            return False

        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        question = f"POST {PATH} HTTP/1.1\r\nHost: {name}\r\n{HEADER}: {secret}\r\nContent-Length: 0\r\n\r\n"
        # It holds the port in all families of its host.
        address = ("::1" if host == "::1" else "127.0.0.1", port)
        try:
            with create_connection(address, timeout=PATIENCE) as asking:
                asking.sendall(question.encode("ascii"))
                return _begins(asking, b"HTTP/1.1 204 ")
        except OSError:
            return False

    def _read(self, port: int) -> str | None:
        try:
            return self._file(port).read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return None

    def _file(self, port: int) -> Path:
        return self._folder / f"port-{port}.secret"


def _begins(asking: socket, wanted: bytes) -> bool:
    """Whether an answer begins so; all of it in bounded time, for it may be a stranger who answers byte by byte."""
    end, heard = monotonic() + PATIENCE, b""
    while wanted.startswith(heard) and len(heard) < len(wanted):
        asking.settimeout(max(end - monotonic(), 0.001))
        heard += (more := asking.recv(len(wanted) - len(heard)))
        if not more:
            return False
    return heard == wanted
