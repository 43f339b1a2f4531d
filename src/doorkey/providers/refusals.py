"""What a model server's refusal means: one closed list from its codes to our errors."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from doorkey.errors import (
    DoorkeyError,
    Misconfigured,
    PolicyRefused,
    ProviderUnavailable,
    SignInNeeded,
    UnknownName,
    UsageLimitReached,
)

# Sign in with ChatGPT, errors page; Codex; OpenAI's platform; Anthropic.
USED_UP = frozenset(
    {
        "subscription_sharing_usage_limit_exceeded",
        "usage_limit_reached",
        "usage_not_included",
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
POLICY = frozenset(
    {
        "subscription_sharing_user_not_eligible",
        "subscription_sharing_route_not_supported",
        "chatpass_v2_scope_not_authorized",
        "chatpass_v2_invalid_authorization_context",
    }
)
# A wait in seconds beyond which a 429 is a used-up allowance, and no request to slow down.
LONGEST_THROTTLE = 60
NO_MODEL = frozenset({"model_not_found", "not_found_error"})
# Anthropic says these in words only (protocols as seen in 2026); they are policy, never a rate limit.
_POLICY_WORDS = ("only authorized for use with claude code", "third-party apps", "out of extra usage")


def refusal(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> DoorkeyError:
    """Read an answer of 400 and above; the provider's own words stay out of the message."""
    fault = _fault(body)
    code = str(fault.get("code") or fault.get("type") or "")
    words = str(fault.get("message") or fault.get("detail") or "").lower()
    if code in USED_UP:
        return UsageLimitReached("The plan or key is used up.", until=_until(headers, fault, now))
    if code in POLICY or any(phrase in words for phrase in _POLICY_WORDS):
        return PolicyRefused("The provider's terms do not let this account serve here.")
    if code == "subscription_sharing_unsupported_capability":
        return Misconfigured("This account's route does not take a field of the request.")
    if status == 401:
        return SignInNeeded("The provider does not accept this sign-in any more.")
    if status == 404 or code in NO_MODEL or "model is not supported" in words:
        return UnknownName("The provider does not serve this model to this account.", hint="Choose another model.")
    if status == 403:
        return PolicyRefused("The provider refused this account.")
    wait = _seconds(headers)
    if status == 429 and wait is not None and wait > LONGEST_THROTTLE:
        return UsageLimitReached("The plan or key is used up for now.", until=now + timedelta(seconds=wait))
    if status in {408, 425, 429} or status >= 500:
        return ProviderUnavailable(_busy(status), retry_after=wait)
    return Misconfigured(
        f"The provider refused the request (status {status}).", hint="Choose another model or account."
    )


def _busy(status: int) -> str:
    if status == 429:
        return "The provider asks to slow down."
    return f"The provider is not available just now (status {status})."


def _fault(body: bytes) -> Mapping[str, Any]:
    """Find the error object: OpenAI and Anthropic nest it, plan routes send `detail`, RFC 6749 a plain text."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict):
        return {}
    fault = parsed.get("error", parsed)
    if isinstance(fault, str):
        return {"code": fault}
    return fault if isinstance(fault, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 8 else None


def _until(headers: Mapping[str, str], fault: Mapping[str, Any], now: datetime) -> datetime | None:
    """Find when the limit opens again; none is guessed where the provider names none."""
    resets_at, resets_in = fault.get("resets_at"), fault.get("resets_in_seconds")
    try:
        if isinstance(resets_at, int | float):
            return datetime.fromtimestamp(resets_at, UTC)
        wait = resets_in if isinstance(resets_in, int | float) else _seconds(headers)
        return now + timedelta(seconds=wait) if wait is not None else None
    except (ValueError, OverflowError, OSError):
        return None
