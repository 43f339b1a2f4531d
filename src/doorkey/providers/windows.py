"""The windows that a provider tells of in the headers of its answers (protocols 2.8, 2.10, 3.4)."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from doorkey.domain.window import Told, Window

SILLY = timedelta(days=366)
"""A reset that is further away than this is a slip of the provider's, and as good as none."""

_CODEX = re.compile(r"x-codex-(?:(?P<limit>[a-z0-9-]{1,40})-)?(?P<which>primary|secondary)-used-percent")
_CLAUDE = re.compile(r"anthropic-ratelimit-unified-(?P<claim>[a-z0-9_]{1,40})-(?:utilization|status)")
_OPENAI_RATE = re.compile(r"x-ratelimit-limit-(?P<what>[a-z-]{1,40})")
_ANTHROPIC_RATE = re.compile(r"anthropic-ratelimit-(?P<what>[a-z-]{1,40})-limit")
_DURATION = re.compile(
    r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?", re.ASCII
)
_PLAIN = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_SPANS = {"5h": "5 hours", "7d": "7 days"}
_NO_CLAIMS = {"overage", "fallback"}
"""What stands in the place of a claim and is no window."""


def read_windows(headers: Mapping[str, str], now: datetime) -> tuple[Window, ...]:
    """Read every window that the headers tell of; the names of `headers` are in lower case.

    What cannot be read is left out, whatever it is.
    """
    return tuple(
        window
        for family in (_codex, _claude, _openai_rates, _anthropic_rates)
        for window in family(headers, now)
        if window.used_percent is not None or window.resets_at is not None
    )


def number(text: object) -> float | None:
    """Read a plain number that is not negative."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return float(text) if 0 <= text < 10**12 and math.isfinite(text) else None
    return float(text) if isinstance(text, str) and _PLAIN.fullmatch(text.strip()) else None


def percent(used: float | None) -> float | None:
    """Bring a share into 0 to 100."""
    return None if used is None else round(min(used, 100.0), 1)


def epoch(seconds: object, now: datetime) -> datetime | None:
    """Read a moment from seconds since 1970."""
    stated = number(seconds)
    try:
        return sensible(None if stated is None else datetime.fromtimestamp(stated, UTC), now)
    except (ValueError, OverflowError, OSError):
        return None


def iso(text: object, now: datetime) -> datetime | None:
    """Read a moment from RFC 3339."""
    try:
        read = datetime.fromisoformat(text) if isinstance(text, str) and len(text) < 64 else None
        return sensible(read.astimezone(UTC) if read and read.tzinfo else None, now)
    except (ValueError, OverflowError):
        return None


def sensible(moment: datetime | None, now: datetime) -> datetime | None:
    """Take a reset that may be meant."""
    return moment if moment is not None and moment - now < SILLY else None


def duration(text: str) -> timedelta | None:
    """Read a wait as OpenAI writes it (`6m0s`, `120ms`), or in plain seconds."""
    plain = number(text)
    if plain is not None:
        return timedelta(seconds=min(plain, SILLY.total_seconds()))
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000
    return timedelta(seconds=min(total, SILLY.total_seconds()))


def span(minutes: float | None) -> str | None:
    """Name a window by its length, as people do."""
    if not minutes:
        return None
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            count = int(minutes // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return None


def _codex(headers: Mapping[str, str], now: datetime) -> Iterator[Window]:
    for name in headers:
        if not (found := _CODEX.fullmatch(name)):
            continue
        stem = name.removesuffix("used-percent")
        after = number(headers.get(f"{stem}reset-after-seconds"))
        length = span(number(headers.get(f"{stem}window-minutes"))) or found["which"]
        yield Window(
            name=f"{found['limit']}, {length}" if found["limit"] else length,
            used_percent=percent(number(headers[name])),
            resets_at=epoch(headers.get(f"{stem}reset-at"), now)
            or sensible(now + timedelta(seconds=min(after, 1e9)) if after is not None else None, now),
            source=Told.HEADERS,
            as_of=now,
        )


def _claude(headers: Mapping[str, str], now: datetime) -> Iterator[Window]:
    claims = sorted({found["claim"] for name in headers if (found := _CLAUDE.fullmatch(name))} - _NO_CLAIMS)
    for claim in claims:
        stem = f"anthropic-ratelimit-unified-{claim}-"
        share = number(headers.get(f"{stem}utilization"))
        rejected = headers.get(f"{stem}status") == "rejected"
        length, _, model = claim.partition("_")
        yield Window(
            name=", ".join(part for part in (_SPANS.get(length, length), model) if part),
            used_percent=100.0 if rejected else percent(None if share is None else share * 100),
            resets_at=epoch(headers.get(f"{stem}reset"), now),
            source=Told.HEADERS,
            as_of=now,
        )


def _openai_rates(headers: Mapping[str, str], now: datetime) -> Iterator[Window]:
    for name in headers:
        if found := _OPENAI_RATE.fullmatch(name):
            what = found["what"]
            wait = duration(headers.get(f"x-ratelimit-reset-{what}", ""))
            left = number(headers.get(f"x-ratelimit-remaining-{what}"))
            yield _rate(what, number(headers[name]), left, now + wait if wait is not None else None, now)


def _anthropic_rates(headers: Mapping[str, str], now: datetime) -> Iterator[Window]:
    for name in headers:
        if found := _ANTHROPIC_RATE.fullmatch(name):
            stem = name.removesuffix("limit")
            left = number(headers.get(f"{stem}remaining"))
            yield _rate(found["what"], number(headers[name]), left, iso(headers.get(f"{stem}reset"), now), now)


def _rate(what: str, limit: float | None, left: float | None, resets_at: datetime | None, now: datetime) -> Window:
    used = percent(max(0.0, 100 * (limit - left) / limit)) if limit and left is not None else None
    return Window(
        name=f"{what.replace('-', ' ')} a minute",
        used_percent=used,
        resets_at=resets_at,
        source=Told.HEADERS,
        as_of=now,
        is_rate=True,
    )
