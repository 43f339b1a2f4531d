"""How values stand in columns: moments as ISO 8601 texts in UTC that sort by time, the rest as JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from doorkey.errors import VaultDamaged

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def stamp(moment: datetime) -> str:
    """Write a moment so that texts compare as moments do: always UTC, always microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def stamp_or_none(moment: datetime | None) -> str | None:
    """Write a moment that may be absent."""
    return None if moment is None else stamp(moment)


def moment_or_none(text: str | None) -> datetime | None:
    """Read a moment that may be absent."""
    return None if text is None else datetime.fromisoformat(text)


def bindable(text: str) -> str:
    """Make a text from outside one that a database takes: half a surrogate pair is no character."""
    return text.encode(errors="replace").decode()


@contextmanager
def sensible() -> Iterator[None]:
    """Raise VaultDamaged where what is read from a row cannot have been written by us."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise VaultDamaged("A row of the database makes no sense; it is damaged, or from a newer Doorkey.") from error


def as_json(value: "DataclassInstance") -> str:
    """Write a value's fields as JSON; a Secret among them is refused by the encoder."""
    return json.dumps(asdict(value), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} does not belong in a JSON column")
