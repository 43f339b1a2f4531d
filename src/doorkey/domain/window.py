"""How much of what an account may use is used: one reading of one of its windows, and when that was."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

TIGHT = 80.0
"""From how many percent on a person is told of a window without asking."""


class Told(StrEnum):
    """Where a reading comes from: the headers of an answer, or the provider's usage page."""

    HEADERS = "headers"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of an account as it stood at `as_of`.

    `used_percent` None: the provider did not say. `is_rate` marks a limit on the pace, which recovers within minutes
    and says nothing about what is left of a plan or a budget.
    """

    name: str
    used_percent: float | None
    resets_at: datetime | None
    source: Told
    as_of: datetime
    is_rate: bool = False

    def at(self, now: datetime) -> "Window":
        """Return what the reading still tells: after a reset nobody knows how much is used."""
        if self.resets_at is None or now < self.resets_at:
            return self
        return replace(self, used_percent=None, resets_at=None)


def fullest(windows: Iterable[Window]) -> Window | None:
    """Return the window that ends first what an account may still use; rates and unknown ones do not count."""
    known = [window for window in windows if window.used_percent is not None and not window.is_rate]
    return max(known, key=lambda window: window.used_percent or 0.0, default=None)
