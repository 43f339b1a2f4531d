"""Keys that lie outside the vault: in the environment, and in `.env` files under the names that were asked for."""

import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from doorkey.domain.secret import Secret
from doorkey.ports import FoundKey

LONGEST_FILE = 256 * 1024
_NEVER_FROM_A_FILE = re.compile(r"(?i)doorkey_.*|.*_(url|host|endpoint|proxy)")
_ENTRY = re.compile(
    r"""
    ^[ \t]* (?:export[ \t]+)? ([A-Za-z_][A-Za-z0-9_]*) [ \t]*=[ \t]*
    (?: '([^']*)' | "((?:[^"\\]|\\.)*)" | ([^\s"'][^\n]*)? )
    """,
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class EnvironmentKeys:
    """Look in the environment, then in the folder's `.env`, then in the files that the config trusts.

    Nothing but the asked names is taken, no variable is ever set, and whether a file was confirmed is not judged here.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path, trusted: Callable[[], Sequence[PurePath]]) -> None:
        self._environ = environ
        self._folder = folder
        self._trusted = trusted

    def find(self, names: Sequence[str]) -> FoundKey | None:
        if found := _first(names, self._environ, "environment"):
            return found
        harmless = from_a_file(names)
        if not harmless:
            return None
        for path in (self._folder.absolute() / ".env", *map(Path, self._trusted())):
            if found := _first(harmless, parse(_read(path)), str(path)):
                return found
        return None


def from_a_file(names: Sequence[str]) -> Sequence[str]:
    """Leave out the names that are never taken from a file, because they would move where secrets go."""
    return [name for name in names if not _NEVER_FROM_A_FILE.fullmatch(name)]


def parse(text: str) -> Mapping[str, str]:
    """Read the `NAME=value` lines of a `.env`: quotes and comments as shells have them, but nothing is expanded.

    Of a name that is there twice, the last counts.
    """
    return {entry[1]: _value(entry) for entry in _ENTRY.finditer(text.replace("\r\n", "\n"))}


def _value(entry: re.Match[str]) -> str:
    _, single, double, plain = entry.groups()
    if single is not None:
        return single
    if double is not None:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), double, flags=re.DOTALL)
    return _COMMENT.sub("", plain or "").strip()


def _first(names: Sequence[str], values: Mapping[str, str], where: str) -> FoundKey | None:
    """Take the first name that has a value; an empty one counts as absent."""
    for name in names:
        if text := values.get(name, "").strip():
            return FoundKey(name, Secret(text), where)
    return None


def _read(path: Path) -> str:
    """Return the file's text; empty where it is no plain file, too large for one of these, or not ours to read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LONGEST_FILE:
            return ""
        return path.read_text("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""
