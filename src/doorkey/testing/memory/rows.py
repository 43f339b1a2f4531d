"""What every store in memory shares: rows by their id, and small named texts."""

from collections.abc import Mapping
from typing import TypeVar

from doorkey.errors import UnknownName

Row = TypeVar("Row")


def known(rows: Mapping[str, Row], name: str) -> Row:
    """Return a row by its id; raise UnknownName."""
    if name not in rows:
        raise UnknownName("There is no such thing here.")
    return rows[name]


class MemorySettings:
    """Fill `ports.Choices` and `ports.Preferences`."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._rows.get(name)

    def set(self, name: str, value: str) -> None:
        self._rows[name] = value

    def remove(self, name: str) -> None:
        self._rows.pop(name, None)

    def starting(self, prefix: str) -> Mapping[str, str]:
        return {name: value for name, value in self._rows.items() if name.startswith(prefix)}
