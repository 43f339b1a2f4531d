"""The master key in a file of the config folder, away from the vault that it opens, for its owner only."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes

from doorkey.adapters.key_sources.source import KEY_SIZE, Lock, NewKey, decode, encode, nobody
from doorkey.adapters.whole_file import sync_folder, write_new
from doorkey.errors import KeyUnreadable, StorageFull

FILE = "doorkey.key"
_LONGEST = 4096
_TOGETHER = (
    "The vault lies in the same folder, so a copy of the folder is enough to read everything. "
    "It keeps out other people on this computer."
)
_APART = "A copy of the vault's folder alone is not enough. Programs that run as you can read it."


class KeyFile:
    """Fill `KeySource` with `doorkey.key` in a folder; a link, or a file that others may read, is refused.

    A key stands on a line. While the key is moved there are two, so that at no moment the right one is missing.
    """

    name = "file"
    restore = f"Put the {FILE} that this vault was made with back into the config folder; nothing was overwritten."

    def __init__(self, folder: Path, *, beside_vault: bool = False) -> None:
        self.path = folder / FILE
        self.protects = _TOGETHER if beside_vault else _APART

    def read(self) -> bytes | None:
        return next(iter(self._keys()), None)

    def find(self, lock: Lock) -> bytes | None:
        keys = self._keys()
        return next(filter(lock.fits, keys), next(iter(keys), None))

    def create(self, vault: str) -> NewKey:
        key = token_bytes(KEY_SIZE)
        with self._alone():
            self._write([*self._keys(), key])
        if key not in self._keys():
            raise KeyUnreadable("The key file does not hold what was written.", hint=self.restore)
        return NewKey(key)

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        if not any(map(lock.fits, self._keys())):
            return
        with self._alone():
            self._write([key for key in self._keys() if unless(key) or not lock.fits(key)])

    def _keys(self) -> Sequence[bytes]:
        try:
            # O_NONBLOCK: a pipe in the place of the file must not hold us up.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        except OSError as error:
            hint = f"Make {FILE} an ordinary file that only you can read, not a link."
            raise KeyUnreadable("The key file cannot be opened.", hint=hint) from error
        with os.fdopen(descriptor, "rb") as file:
            _refuse_open_doors(os.fstat(descriptor))
            lines = file.read(_LONGEST).decode("ascii", "replace").split()
        keys = [key for key in map(decode, lines) if key]
        if not keys or len(keys) < len(lines):
            raise KeyUnreadable("The key file holds no key.", hint=self.restore)
        return keys

    def _write(self, keys: Sequence[bytes]) -> None:
        """Put a new file in the place of the old one in one step, on the disk before anything relies on it."""
        new = self.path.with_name(f"{FILE}.new")
        new.unlink(missing_ok=True)
        if keys:
            write_new(new, "".join(f"{encode(key)}\n" for key in keys).encode())
            new.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other programs from changing the file meanwhile."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageFull("The key file cannot be written.") from error


def _refuse_open_doors(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnreadable("The key file is no ordinary file.", hint=f"Replace {FILE} by the file with the key.")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        hint = f"Close it with `chmod 600 {FILE}`; if others may have read it, `doorkey key use file` makes a new key."
        raise KeyUnreadable("The key file can be read by others.", hint=hint)
