"""How long a server asks to be left alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_CLOSURE = timedelta(days=31)
"""No server is waited for longer than this, whatever it says."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read Retry-After in seconds (RFC 9110 section 10.2.3); None where there is none to read.

    Its date form counts only with `now`, because it needs two clocks that agree.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return min(float(text), LONGEST_CLOSURE.total_seconds())
    if now is None:
        return None
    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_CLOSURE.total_seconds())
