"""How a date is said to a person, in the terminal as on the page."""

from datetime import datetime


def day(at: datetime) -> str:
    """Write a date: `5 October 2026`."""
    return f"{at.day} {at:%B %Y}"


def clock(at: datetime) -> str:
    """Write a moment as the clock on this computer shows it: `5 October, 14:30`."""
    here = at.astimezone()
    return f"{here.day} {here:%B, %H:%M}"
