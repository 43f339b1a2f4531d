"""A bounded, sorted walk through the folder that shows links and never takes them."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from doorkey.agent.fence import MAX_DEPTH, Folder, Parts, name_of, parts_of
from doorkey.errors import FolderRefused

NOISE = frozenset(
    {
        *(".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".terraform"),
    }
)
"""Folders that are shown but not entered, unless the walk starts there."""

MAX_IN_ONE_FOLDER = 10_000
MAX_LISTED = 500

Kind = Literal["file", "folder", "link", "special", "cut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing in a folder, as it was when looked at; `size` is in bytes. A `cut` entry stands for the rest."""

    parts: Parts
    kind: Kind
    size: int

    @property
    def skipped(self) -> bool:
        """Tell whether this is a folder that is not entered."""
        return self.kind == "folder" and self.parts[-1] in NOISE


def walk(folder: Folder, start: Parts, *, depth: int = MAX_DEPTH) -> Iterator[Entry]:
    """Yield what lies below `start`, or `start` itself when it is a file, in the order of names.

    What disappears, is replaced or may not be read during the walk is passed over.
    """
    status = folder.stat(start)
    if status is None or stat.S_ISDIR(status.st_mode):
        yield from _below(folder, start, depth)
    else:
        yield Entry(parts=start, kind=_kind(status), size=status.st_size)


def list_files(folder: Folder, path: str = ".", *, depth: int = 3) -> str:
    """Name what lies below `path`, one a line, with sizes in bytes; says what was left out and why."""
    entries = list(islice(walk(folder, parts_of(path), depth=depth), MAX_LISTED + 1))
    lines = [_line(entry) for entry in entries[:MAX_LISTED]]
    if len(entries) > MAX_LISTED:
        lines.append(f"[cut after {MAX_LISTED} entries: list a folder below, or with less depth]")
    return "\n".join(lines) or "[nothing here]"


def _below(folder: Folder, start: Parts, depth: int) -> Iterator[Entry]:
    with folder.directory(start) as here:
        found = _entries(here, start)
    for entry in found:
        yield entry
        if entry.kind == "folder" and not entry.skipped and depth > 1:
            with suppress(FolderRefused):
                yield from _below(folder, entry.parts, depth - 1)


def _entries(here: int, parts: Parts) -> list[Entry]:
    with os.scandir(here) as scan:
        names = [item.name for item in islice(scan, MAX_IN_ONE_FOLDER + 1)]
    found = [entry for name in sorted(names[:MAX_IN_ONE_FOLDER]) for entry in _look(here, (*parts, name))]
    if len(names) > MAX_IN_ONE_FOLDER:
        found.append(Entry(parts=(*parts, "..."), kind="cut", size=0))
    return found


def _look(here: int, parts: Parts) -> list[Entry]:
    try:
        status = os.stat(parts[-1], dir_fd=here, follow_symlinks=False)
    except OSError:
        return []
    return [Entry(parts=parts, kind=_kind(status), size=status.st_size)]


def _kind(status: os.stat_result) -> Kind:
    kinds: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(status.st_mode), "special")


def _line(entry: Entry) -> str:
    name = name_of(entry.parts)
    match entry.kind:
        case "file":
            return f"{name} ({entry.size} bytes)"
        case "folder":
            return f"{name}/ (not entered)" if entry.skipped else f"{name}/"
        case "link":
            return f"{name} (link, not followed)"
        case "special":
            return f"{name} (special file)"
        case "cut":
            return f"{name} (more than {MAX_IN_ONE_FOLDER} entries in this folder)"
