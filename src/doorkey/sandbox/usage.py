"""How much of the plan or the pace is used, as each dialect tells it: in the headers of answers, and on usage pages."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import Dialect

SHORT, LONG = 5 * 3600, 7 * 24 * 3600
"""The two windows of a plan, in seconds."""

PACE = 100
"""How many requests a minute a key may make, as its headers say."""


@dataclass(frozen=True, slots=True)
class Used:
    """How many percent of the short and of the long window are used, and in how many seconds the short one ends."""

    short: float
    long: float
    resets_in: float = 3600.0


class Meter:
    """What tests and people set it to; it counts nothing by itself, and tells nothing before it was set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: Used | None = None

    def set(self, used: Used | None) -> None:
        """Tell this from now on; None tells nothing."""
        with self._lock:
            self._used = used

    def headers(self, dialect: Dialect | None, now: float) -> dict[str, str]:
        """Give the headers of an answer (protocols 2.8, 2.10, 3.4); a shared plan tells nothing."""
        used = self._used
        if used is None or dialect is Dialect.PLAN:
            return {}
        if dialect is Dialect.CODEX:
            return _codex(used, now)
        if dialect is Dialect.CLAUDE:
            return _claude(used, now)
        left = max(0, PACE - round(used.short * PACE / 100))
        limits = {"x-ratelimit-limit-requests": PACE, "x-ratelimit-remaining-requests": left}
        return {name: str(value) for name, value in limits.items()} | {"x-ratelimit-reset-requests": "6m0s"}

    def codex_page(self, now: float) -> dict[str, object]:
        """Give the body of Codex's usage page (protocols 2.8)."""
        used = self._used or Used(0, 0)
        short, long = _ends(used, now)
        return {
            "plan_type": "plus",
            "rate_limit": {
                "primary_window": {"used_percent": used.short, "limit_window_seconds": SHORT, "reset_at": int(short)},
                "secondary_window": {"used_percent": used.long, "limit_window_seconds": LONG, "reset_at": int(long)},
            },
        }

    def claude_page(self, now: float) -> dict[str, object]:
        """Give the body of Claude's usage page (protocols 3.3)."""
        used = self._used or Used(0, 0)
        short, long = (datetime.fromtimestamp(end, UTC).isoformat() for end in _ends(used, now))
        return {
            "five_hour": {"utilization": used.short, "resets_at": short},
            "seven_day": {"utilization": used.long, "resets_at": long},
        }


def _ends(used: Used, now: float) -> tuple[float, float]:
    return now + used.resets_in, now + used.resets_in + LONG - SHORT


def _codex(used: Used, now: float) -> dict[str, str]:
    told: dict[str, str] = {}
    for which, percent, length, end in zip(
        ("primary", "secondary"), (used.short, used.long), (SHORT, LONG), _ends(used, now), strict=True
    ):
        told |= {
            f"x-codex-{which}-used-percent": f"{percent:g}",
            f"x-codex-{which}-window-minutes": str(length // 60),
            f"x-codex-{which}-reset-at": str(int(end)),
        }
    return told


def _claude(used: Used, now: float) -> dict[str, str]:
    told = {"anthropic-ratelimit-unified-status": "allowed"}
    for claim, percent, end in zip(("5h", "7d"), (used.short, used.long), _ends(used, now), strict=True):
        told |= {
            f"anthropic-ratelimit-unified-{claim}-status": "allowed" if percent < 100 else "rejected",
            f"anthropic-ratelimit-unified-{claim}-utilization": f"{percent / 100:g}",
            f"anthropic-ratelimit-unified-{claim}-reset": str(int(end)),
        }
    return told


async def set_usage(request: Request) -> Response:
    """Set what is told from `{"short", "long", "resets_in"?}`; 422 for what cannot be."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return JSONResponse({"error": "send application/json"}, 415)
    try:
        wish = json.loads(await request.body())
        numbers = isinstance(wish, Mapping) and all(type(value) in {int, float} for value in wish.values())
        used = Used(**wish) if numbers else None
    except (ValueError, TypeError):
        used = None
    if used is None or not (0 <= used.short <= 100 and 0 <= used.long <= 100 and 0 < used.resets_in < LONG):
        return JSONResponse({"error": "send short and long as percentages, and perhaps resets_in in seconds"}, 422)
    request.app.state.world.meter.set(used)
    return Response(status_code=204)


async def clear_usage(request: Request) -> Response:
    """Tell nothing any more."""
    request.app.state.world.meter.set(None)
    return Response(status_code=204)
