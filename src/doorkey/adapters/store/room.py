"""A little of the disk held in reserve, for the one save that must not fail when others have filled it meanwhile."""

import os
from contextlib import suppress
from pathlib import Path

from doorkey.errors import StorageFull

# Several times what a log grows by when an account is saved.
SIZE = 64 << 10


class Room:
    """A file that is deleted when its room is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Hold the room, if it is not held already. Raises StorageFull."""
        try:
            if not self._path.exists():
                self._fill()
        except OSError as error:
            self.give()
            raise StorageFull("The disk is full, or failed while writing.") from error

    def give(self) -> bool:
        """Free the room; False where none is held."""
        with suppress(OSError):
            self._path.unlink()
            return True
        return False

    def _fill(self) -> None:
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # Random, because some disks keep no zeros, and squeeze the rest.
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(descriptor)
