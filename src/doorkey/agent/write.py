"""Writing a file of the folder whole or not at all, and showing beforehand what would change."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

from doorkey.agent.fence import Folder, Parts, name_of, parts_of, refusing, shown
from doorkey.agent.read import is_binary, lines_of
from doorkey.errors import FolderRefused

MAX_BYTES = 4 * 1024 * 1024
MAX_DIFF_LINES = 400
MAX_COMPARED_LINES = 5_000
_MAX_SHOWN = 300
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write did; `size` is in bytes."""

    path: str
    created: bool
    size: int


def write_file(folder: Folder, path: str, content: str) -> Written:
    """Create or replace a file in one step, making missing folders on the way.

    A replaced file keeps its permissions. A link, a hard link or a special file in its place is refused; whatever
    fails, the old file stays whole.
    """
    parts, encoded = _target(path), content.encode()
    if len(encoded) > MAX_BYTES:
        raise FolderRefused(f"{name_of(parts)}: more than {MAX_BYTES} bytes are not written")
    with folder.directory(parts[:-1], make=True) as here, refusing(parts):
        before = _existing(folder, parts)
        with _draft(here, before) as (draft, descriptor):
            _fill(descriptor, encoded)
            os.replace(draft, parts[-1], src_dir_fd=here, dst_dir_fd=here)
        os.fsync(here)
    return Written(path=name_of(parts), created=before is None, size=len(encoded))


def preview(folder: Folder, path: str, content: str) -> str:
    """Show what a write would change as a unified diff, cut when long and with invisible characters escaped.

    Raises FolderRefused where the write would.
    """
    parts = _target(path)
    old = b""
    if existed := _existing(folder, parts) is not None:
        with folder.file(parts) as stream:
            old = stream.read(MAX_BYTES + 1)
    if is_binary(old) or len(old) > MAX_BYTES:
        return f"[replaces {name_of(parts)}, which is binary or too big to compare]"
    if diff := _diff(name_of(parts), lines_of(old.decode(errors="replace")), lines_of(content)):
        return diff
    if not existed:
        return "[makes an empty file]"
    return "[changes nothing]" if old == content.encode() else "[changes no line, but how the file is encoded or ends]"


def _diff(name: str, before: list[str], after: list[str]) -> str:
    if max(len(before), len(after)) > MAX_COMPARED_LINES:
        return f"[replaces {len(before)} lines by {len(after)}, too many to compare]"
    diff = list(islice(unified_diff(before, after, name, name, lineterm=""), MAX_DIFF_LINES + 1))
    cut = [f"[cut after {MAX_DIFF_LINES} lines]"] if len(diff) > MAX_DIFF_LINES else []
    return "\n".join([*map(_visible, diff[:MAX_DIFF_LINES]), *cut])


def _target(path: str) -> Parts:
    parts = parts_of(path)
    if not parts or path.endswith("/"):
        raise FolderRefused(f"{name_of(parts)}: this names a folder, not a file")
    return parts


def _existing(folder: Folder, parts: Parts) -> os.stat_result | None:
    status = folder.stat(parts)
    if status is not None:
        folder.check_file(parts, status)
    return status


@contextmanager
def _draft(here: int, before: os.stat_result | None) -> Iterator[tuple[str, int]]:
    """Make a new file beside the target; it is removed again unless it was renamed."""
    draft, descriptor = _new_file(here, 0o666 if before is None else 0o600)
    try:
        if before is not None:
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)
        yield draft, descriptor
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=here)
        raise
    finally:
        os.close(descriptor)


def _new_file(here: int, mode: int) -> tuple[str, int]:
    for number in range(100):
        name = f".doorkey-draft-{number}"
        try:
            return name, os.open(name, _NEW, mode, dir_fd=here)
        except FileExistsError:
            continue
    raise FolderRefused("Too many unfinished drafts; remove the files named .doorkey-draft-…")


def _fill(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb", closefd=False) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def _visible(line: str) -> str:
    return "\t".join(map(shown, line[:_MAX_SHOWN].split("\t"))) + ("…" if len(line) > _MAX_SHOWN else "")
