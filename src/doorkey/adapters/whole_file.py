"""A private file that is there whole, or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from doorkey.errors import StorageFull


def write_whole(
    path: Path,
    content: bytes,
    *,
    over: bool,
    link: Callable[[Path, Path], None] = os.link,
    reached: Callable[[str], None] = lambda _: None,
) -> None:
    """Write a file for its owner only, and see it onto the disk; whenever this ends, an older one is still whole.

    Raises FileExistsError where there is one already, unless `over`, and StorageFull. `reached` is told each point at
    which the process could be killed, and `link` gives a file a second name: tests have their own.
    """
    beside = path.with_name(f".doorkey-{token_hex(8)}")
    try:
        try:
            write_new(beside, content)
            reached("written")
            if over:
                beside.replace(path)
            else:
                _name(beside, path, link)
            reached("named")
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageFull(f"{path.name} cannot be written: {error.strerror}.") from error


def write_new(path: Path, content: bytes) -> None:
    """Write a file for its owner only that must not exist yet, and see it onto the disk; its name may be lost still."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _name(beside: Path, path: Path, link: Callable[[Path, Path], None]) -> None:
    """Give a written file its name, which nobody may have meanwhile."""
    try:
        link(beside, path)
    except FileExistsError:
        raise
    except OSError:
        # No second names on this disk (FAT, as on USB sticks): take the name first, then fill it at once.
        write_new(path, b"")
        beside.replace(path)


def sync_folder(folder: Path) -> None:
    """See the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
