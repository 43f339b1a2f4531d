"""A folder that a person chose, in which every path is walked by descriptor, so that nothing leads out of it.

The kernel is asked for one name at a time, relative to a directory that is already open, and never follows
a link. Whoever swaps a name between two looks therefore wins a refusal, not a file outside the folder.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from doorkey.errors import FolderRefused

Parts = tuple[str, ...]
"""The names from the folder down to a file; `()` is the folder itself."""

Identity = tuple[int, int]
"""Device and inode: the same directory under whatever name, also where names ignore case."""

ELSEWHERE = "Choose the folder of one project, which holds no logins."
"""What to do where the folder itself cannot be chosen."""

MAX_PATH_BYTES = 4096
MAX_DEPTH = 64

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_REASONS = {
    errno.ENOENT: "there is nothing of that name",
    errno.ENOTDIR: "a link or a file stands where a folder should be",
    errno.ELOOP: "links are not followed",
}


def parts_of(path: str) -> Parts:
    """Split a path as a model wrote it into names below the folder.

    Raises FolderRefused for absolute paths, `..`, NUL, and what cannot be a file name in UTF-8.
    """
    try:
        size = len(path.encode())
    except UnicodeEncodeError as error:
        raise FolderRefused(f"{shown(path)}: this is not text in UTF-8") from error
    parts = tuple(name for name in path.split("/") if name not in {"", "."})
    if path.startswith("/"):
        raise FolderRefused(f"{shown(path)}: give the path relative to the chat's folder, such as src/main.py")
    if ".." in parts:
        raise FolderRefused(f"{shown(path)}: `..` would leave the chat's folder")
    if "\0" in path or size > MAX_PATH_BYTES or len(parts) > MAX_DEPTH:
        raise FolderRefused(f"{shown(path[:80])}: this cannot be a path in the chat's folder")
    return parts


def name_of(parts: Parts) -> str:
    """Join the names again, fit to be shown; the folder itself is `.`."""
    return shown("/".join(parts)) or "."


def shown(text: str) -> str:
    """Escape what a reader could not see: line ends, terminal codes, marks that reverse the text's direction."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


@contextmanager
def refusing(parts: Parts) -> Iterator[None]:
    """Turn what the system says about a path into a refusal that the model may read."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "it cannot be used")
        raise FolderRefused(f"{name_of(parts)}: {reason}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The chosen folder: a value, not an open file. It is opened anew for each use and must still be the same one."""

    path: Path
    identity: Identity
    guarded: tuple[Path, ...]
    off_limits: frozenset[Identity]

    @classmethod
    def open(cls, path: str | Path, *, guarded: Iterable[Path] = ()) -> Self:
        """Choose a folder; `guarded` are the places that must stay out of a model's reach (vault, key, config).

        Raises FolderRefused for what is no folder, for one that holds or lies inside a guarded place, and for the
        home folder and everything above it: those hold every other program's logins.
        """
        chosen, identity = _chosen(str(path))
        kept = tuple(place.expanduser().resolve() for place in guarded)
        if identity in _lineage(Path.home().resolve()):
            raise FolderRefused(
                f"{shown(str(chosen))}: choose a project's folder, not your home or one above it", hint=ELSEWHERE
            )
        if any(_overlap(chosen, place) for place in kept):
            raise FolderRefused(f"{shown(str(chosen))}: Doorkey keeps its vault, key or config there", hint=ELSEWHERE)
        off_limits = frozenset(known for place in kept for known in _known(place))
        return cls(path=chosen, identity=identity, guarded=kept, off_limits=off_limits)

    @contextmanager
    def directory(self, parts: Parts, *, make: bool = False) -> Iterator[int]:
        """Lend a descriptor of the directory at `parts`; `make` creates what is missing, one name at a time."""
        with refusing(parts), self._descend(parts, make=make) as here:
            yield here

    @contextmanager
    def file(self, parts: Parts) -> Iterator[BinaryIO]:
        """Open a regular file of a single name for reading."""
        with refusing(parts), self._descend(parts[:-1]) as here:
            # Looked at before it is opened as well, because opening a device can already do something.
            name = parts[-1] if parts else "."
            self.check_file(parts, os.stat(name, dir_fd=here, follow_symlinks=False))
            descriptor = os.open(name, _FILE, dir_fd=here)
            try:
                self.check_file(parts, os.fstat(descriptor))
                with os.fdopen(descriptor, "rb", closefd=False) as stream:
                    yield stream
            finally:
                os.close(descriptor)

    def stat(self, parts: Parts) -> os.stat_result | None:
        """Look at what is there, without following a link; None when there is nothing."""
        with refusing(parts), suppress(FileNotFoundError), self._descend(parts[:-1]) as here:
            return os.stat(parts[-1] if parts else ".", dir_fd=here, follow_symlinks=False)
        return None

    def check_file(self, parts: Parts, status: os.stat_result) -> None:
        """Refuse links, hard links, folders, devices, pipes, sockets and guarded files."""
        if stat.S_ISLNK(status.st_mode):
            raise FolderRefused(f"{name_of(parts)}: links are not followed")
        if not stat.S_ISREG(status.st_mode):
            raise FolderRefused(f"{name_of(parts)}: this is not a regular file")
        if status.st_nlink != 1:
            raise FolderRefused(f"{name_of(parts)}: the file has a second name, perhaps outside the folder (hard link)")
        self._refuse_guarded(status)

    @contextmanager
    def _descend(self, parts: Parts, *, make: bool = False) -> Iterator[int]:
        with ExitStack() as opened:
            here = opened.enter_context(_open(self.path, None))
            if _identity(os.fstat(here)) != self.identity:
                raise FolderRefused("The chat's folder was moved or replaced; choose it again")
            for name in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=here)
                here = opened.enter_context(_open(name, here))
                self._refuse_guarded(os.fstat(here))
            yield here

    def _refuse_guarded(self, status: os.stat_result) -> None:
        if _identity(status) in self.off_limits:
            raise FolderRefused("Doorkey's own files are out of reach here")


def _chosen(path: str) -> tuple[Path, Identity]:
    try:
        with refusing((path,)):
            chosen = Path(path).expanduser().resolve(strict=True)
            status = chosen.stat()
    except (RuntimeError, ValueError) as error:  # `~nobody`, a ring of links; NUL, no UTF-8
        raise FolderRefused(f"{shown(path)}: this cannot be the path of a folder") from error
    if not stat.S_ISDIR(status.st_mode):
        raise FolderRefused(f"{shown(path)}: this is not a folder")
    return chosen, _identity(status)


@contextmanager
def _open(name: str | Path, here: int | None) -> Iterator[int]:
    descriptor = os.open(name, _DIRECTORY, dir_fd=here)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _known(path: Path) -> set[Identity]:
    """The identity of a path, or nothing while it does not exist."""
    try:
        return {_identity(path.stat())}
    except OSError:
        return set()


def _lineage(path: Path) -> set[Identity]:
    return {known for place in (path, *path.parents) for known in _known(place)}


def _overlap(one: Path, other: Path) -> bool:
    return bool(_known(one) & _lineage(other) or _known(other) & _lineage(one))
