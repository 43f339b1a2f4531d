"""Text in columns that fit the terminal, and times as people say them."""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from doorkey.cli.io import Io

GAP = 2


def cells(text: str) -> int:
    """Count the cells of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fit(text: str, width: int) -> str:
    """Cut a text to a width, with a mark where something is missing, and fill it up with spaces."""
    if cells(text) > width:
        while text and cells(text) >= width:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cells(text))


def pieces(text: str, width: int) -> list[str]:
    """Cut a text into pieces that each fit a width; an empty text is one empty piece."""
    found, size = [""], 0
    for char in text:
        if size + cells(char) > width:
            found.append("")
            size = 0
        found[-1] += char
        size += cells(char)
    return found


def columns(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Fill the cells of each column to one width; the first column gives way where a row would be too long."""
    widths = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    room = width - sum(widths[1:]) - GAP * (len(widths) - 1)
    widths[0] = min(widths[0], max(room, 12))
    return [[fit(cell, size) for cell, size in zip(row, widths, strict=True)] for row in rows]


def indented(parts: Iterable[str | None], width: int, indent: int = 4) -> str:
    """Join what there is of the parts into a line, broken only between words."""
    pad = " " * indent
    text = " · ".join(part for part in parts if part)
    return textwrap.fill(
        text, width, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )


def broken(text: str, io: Io, taken: int) -> list[str]:
    """Break a text where somebody reads it, beside what is `taken` of the line.

    It is never broken within a word: people copy paths and addresses.
    """
    if not io.interactive:
        return [text]
    width = io.width - taken
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [text]


def moment(iso: str) -> datetime:
    """Read a time from our own JSON."""
    return datetime.fromisoformat(iso).astimezone(UTC)


def away(iso: str, now: datetime) -> str:
    """Say how far a time is from now: `in 43 min`, `2 h ago`."""
    distance = moment(iso) - now
    return f"{span(-distance)} ago" if distance < timedelta(0) else f"in {span(distance)}"


def span(length: timedelta) -> str:
    """Say a length of time in its largest sensible unit, rounded down."""
    seconds = int(length.total_seconds())
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (size < 86400 and seconds >= size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
