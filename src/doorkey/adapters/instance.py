"""How a second start finds the app that already runs: a private socket that only its owner can open."""

import hashlib
import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from doorkey.errors import StorageFull

# A socket's path may be no longer than this on macOS; Linux allows a little more.
LONGEST_PATH = 100
ASK = b"open\n"
PATIENCE = 2.0


class Instance:
    """The running app's end of the socket; answers each caller with a new launch URL."""

    def __init__(self, folder: Path, mint: Callable[[], str]) -> None:
        self._path = socket_path(folder)
        self._mint = mint
        with suppress(FileNotFoundError):
            self._path.unlink()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listening.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            self._listening.close()
            raise StorageFull("The running app's socket cannot be made.") from error
        self._listening.listen()
        Thread(target=self._serve, name="doorkey-instance", daemon=True).start()

    def close(self) -> None:
        """Stop answering; safe to call twice."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            with caller, suppress(OSError):
                caller.settimeout(PATIENCE)
                if caller.recv(len(ASK)) == ASK:
                    caller.sendall(self._mint().encode())


def ask(folder: Path) -> str | None:
    """Return a launch URL of the app that runs over this folder, or None when none answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(str(socket_path(folder)))
            asking.sendall(ASK)
            return asking.recv(1024).decode() or None
    except (OSError, UnicodeDecodeError):
        return None


def is_running(folder: Path) -> bool:
    """Whether an app runs over this folder; it is only called, and asked for nothing."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as calling:
            calling.settimeout(PATIENCE)
            calling.connect(str(socket_path(folder)))
            return True
    except OSError:
        return False


def socket_path(folder: Path) -> Path:
    """Return where the socket lies: in the folder, or in a private temporary one where the path would be too long."""
    near = folder / "app.sock"
    if len(os.fsencode(near)) <= LONGEST_PATH:
        return near
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"doorkey-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    status = private.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise StorageFull("The temporary folder for the app's socket belongs to somebody else.")
    return private / f"{name}.sock"
