"""One attempt per port: a listener of ours gives its port up to the next sign-in, which asks with the port's secret.

The secret lies in a private file beside the vault, so that only its owner can ask. It is made anew for each listener:
to a program that has taken the port since, it is worth nothing.
"""

from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe

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
        from http.client import HTTPConnection, HTTPException

        # It holds the port in all families of its host.
        asking = HTTPConnection("::1" if host == "::1" else "127.0.0.1", port, timeout=PATIENCE)
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            asking.request("POST", PATH, headers={"Host": name, HEADER: secret})
            return asking.getresponse().status == 204
        except (OSError, HTTPException):
            return False
        finally:
            asking.close()

    def _read(self, port: int) -> str | None:
        try:
            return self._file(port).read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return None

    def _file(self, port: int) -> Path:
        return self._folder / f"port-{port}.secret"
