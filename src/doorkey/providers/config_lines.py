"""Find the line that a key of a TOML file stands on, because the standard reader forgets it."""

import re
from collections.abc import Mapping

Path = tuple[str, ...]

_KEY = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_TABLE = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*({_DOTTED})[ \t]*\]")
_ENTRY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


def lines_of(text: str) -> Mapping[Path, int]:
    """Map each table and key to its line, from 1; what looks like one inside a long text is harmless here."""
    found: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _TABLE.match(line):
            table = _split(header[1])
            found.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            found.setdefault(table + _split(entry[1]), number)
    return found


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a key, else that of the nearest table or key around it."""
    for length in range(len(path), 0, -1):
        nearest = path[:length]
        inside = [line for known, line in lines.items() if known[:length] == nearest]
        if inside:
            return lines.get(nearest, min(inside))
    return 1


def _split(dotted: str) -> Path:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, dotted))
