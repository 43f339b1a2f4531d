"""The master key in a file of the config folder, away from the vault that it opens, for its owner only."""

import os
import stat
from pathlib import Path
from secrets import token_bytes

from doorkey.adapters.key_sources.source import KEY_SIZE, decode, encode
from doorkey.errors import KeyUnreadable, StorageFull

FILE = "doorkey.key"
_LONGEST = 256


class KeyFile:
    """Fill `KeySource` with `doorkey.key` in a folder; a link, or a file that others may read, is refused."""

    name = "file"
    restore = f"Put the {FILE} that this vault was made with back into the config folder; nothing was overwritten."

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self) -> bytes | None:
        try:
            # O_NONBLOCK: a pipe in the place of the file must not hold us up.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            hint = f"Make {FILE} an ordinary file that only you can read, not a link."
            raise KeyUnreadable("The key file cannot be opened.", hint=hint) from error
        with os.fdopen(descriptor, "rb") as file:
            _refuse_open_doors(os.fstat(descriptor))
            key = decode(file.read(_LONGEST).decode("ascii", "replace"))
        if key is None:
            raise KeyUnreadable("The key file holds no key.", hint=self.restore)
        return key

    def create(self) -> bytes:
        key = token_bytes(KEY_SIZE)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_new(self.path, f"{encode(key)}\n".encode())
        except FileExistsError:
            return self._made_meanwhile()
        except OSError as error:
            raise StorageFull("The key file cannot be written.") from error
        return key

    def _made_meanwhile(self) -> bytes:
        key = self.read()
        if key is None:
            raise KeyUnreadable("The key file vanished while it was read.", hint=self.restore)
        return key


def _refuse_open_doors(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnreadable("The key file is no ordinary file.", hint=f"Replace {FILE} by the file with the key.")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        hint = f"Close it with `chmod 600 {FILE}`; if others may have read it, rotate the key afterwards."
        raise KeyUnreadable("The key file can be read by others.", hint=hint)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet and see it onto the disk: what it seals would be lost without it."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink()  # Half a key would look like a damaged one.
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
