"""Where a provider tells how much of a plan or a budget is used, for those that have such a page (protocols 13.9)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from doorkey.domain.foreign import tame
from doorkey.domain.window import Told, Window
from doorkey.providers.windows import epoch, iso, number, percent, span

Body = Mapping[str, Any]
Read = Callable[[Body, datetime], Iterator[Window]]


@dataclass(frozen=True, slots=True)
class UsagePage:
    """A path at the origin of the API, and how what it answers is read; nothing is ever paid for by asking."""

    path: str
    read: Read


def read_usage(page: UsagePage, body: object, now: datetime) -> tuple[Window, ...]:
    """Read the windows of a page; what cannot be read is left out, whatever it is."""
    if not isinstance(body, Mapping):
        return ()
    return tuple(window for window in page.read(body, now) if window.used_percent is not None)


def _codex(body: Body, now: datetime) -> Iterator[Window]:
    limits = _inside(body, "rate_limit")
    for which in ("primary", "secondary"):
        window = _inside(limits, f"{which}_window")
        seconds = number(window.get("limit_window_seconds"))
        name = span(seconds / 60 if seconds else None) or which
        yield _window(name, number(window.get("used_percent")), epoch(window.get("reset_at"), now), now)


def _claude(body: Body, now: datetime) -> Iterator[Window]:
    for key, name in (("five_hour", "5 hours"), ("seven_day", "7 days")):
        window = _inside(body, key)
        yield _window(name, number(window.get("utilization")), iso(window.get("resets_at"), now), now)
    for limit in _list(body.get("limits")):
        model = _inside(_inside(limit, "scope"), "model").get("display_name")
        if limit.get("kind") == "weekly_scoped" and isinstance(model, str) and len(model) < 80:
            yield _window(f"7 days, {tame(model)}", number(limit.get("percent")), iso(limit.get("resets_at"), now), now)


def _openrouter_key(body: Body, now: datetime) -> Iterator[Window]:
    key = _inside(body, "data")
    limit, left = number(key.get("limit")), number(key.get("limit_remaining"))
    if limit and left is not None:
        yield _window("limit of this key", 100 * max(0.0, limit - left) / limit, None, now)


def _openrouter_credits(body: Body, now: datetime) -> Iterator[Window]:
    found = _inside(body, "data")
    bought, used = number(found.get("total_credits")), number(found.get("total_usage"))
    if bought and used is not None:
        yield _window("credits", 100 * used / bought, None, now)


def _window(name: str, used: float | None, resets_at: datetime | None, now: datetime) -> Window:
    return Window(name=name, used_percent=percent(used), resets_at=resets_at, source=Told.PAGE, as_of=now)


def _inside(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(value: object) -> list[Body]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


PAGES: Mapping[str, tuple[UsagePage, ...]] = {
    "codex": (UsagePage("/backend-api/wham/usage", _codex),),
    "claude": (UsagePage("/api/oauth/usage", _claude),),
    # The second is refused to some keys; the first is there for all.
    "openrouter": (UsagePage("/api/v1/key", _openrouter_key), UsagePage("/api/v1/credits", _openrouter_credits)),
}
"""By the name that a method gives (`Method.usage`)."""
