"""What a model server's refusal means: one closed list from its codes to our errors."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from doorkey.domain.waiting import LONGEST_CLOSURE, retry_after
from doorkey.errors import (
    DoorkeyError,
    Misconfigured,
    PolicyRefused,
    ProviderUnavailable,
    SignInNeeded,
    UnknownName,
    UsageLimitReached,
)
from doorkey.providers.windows import read_windows

# Sign in with ChatGPT, errors page; Codex; OpenAI's platform; Anthropic. Before the stream or in it (protocols 1.9).
USED_UP = frozenset(
    {
        "subscription_sharing_usage_limit_exceeded",
        "usage_limit_reached",
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
        "usage_not_included",
        "permission_error",
    }
)
POLICY_PREFIX = "chatpass_v2_"
"""Every code that begins so says that the permission is missing; not all of them are written down anywhere."""

ENDED = frozenset({"subscription_sharing_invalid_user", "token_expired", "token_revoked", "authentication_error"})
# A wait in seconds beyond which a 429 is a used-up allowance, and no request to slow down.
LONGEST_THROTTLE = 60

NO_MODEL = frozenset({"model_not_found", "not_found_error"})
# Anthropic says these in words only (protocols as seen in 2026); the first are policy, never a rate limit.
_POLICY_WORDS = ("only authorized for use with claude code", "third-party apps", "out of extra usage")
_USED_UP_WORDS = ("credit balance is too low",)


def refusal(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> DoorkeyError:
    """Read an answer of 400 and above; the provider's own words stay out of the message."""
    fault = _fault(body)
    meant = _by_code(fault, headers, now)
    if meant is not None:
        return meant
    words = _words(fault)
    if status == 401:
        return SignInNeeded("The provider does not accept this sign-in any more.")
    if status == 402:
        return UsageLimitReached("The credits of this account are used up.", until=_until(headers, fault, now))
    if status == 404 or _code(fault) in NO_MODEL or "model is not supported" in words:
        return UnknownName("The provider does not serve this model to this account.", hint="Choose another model.")
    if status == 403:
        return PolicyRefused("The provider refused this account.")
    if status == 429:
        return _too_many(headers, now)
    if status in {408, 425} or status >= 500:
        return ProviderUnavailable(_busy(status), retry_after=retry_after(headers, now))
    return Misconfigured(
        f"The provider refused the request (status {status}).", hint="Choose another model or account."
    )


def in_stream(fault: Mapping[str, Any], *, now: datetime) -> DoorkeyError:
    """Read the error object of a `response.failed` or an `error` event: it comes inside an answer of status 200.

    A code that nobody knows is a fault that passes: the answer had begun.
    """
    if _code(fault) in NO_MODEL:
        return UnknownName("The provider does not serve this model to this account.", hint="Choose another model.")
    return _by_code(fault, {}, now) or ProviderUnavailable("The provider broke the answer off.")


def _by_code(fault: Mapping[str, Any], headers: Mapping[str, str], now: datetime) -> DoorkeyError | None:
    code, words = _code(fault), _words(fault)
    if code in USED_UP or any(phrase in words for phrase in _USED_UP_WORDS):
        return UsageLimitReached("The plan or key is used up.", until=_until(headers, fault, now))
    if code in POLICY or code.startswith(POLICY_PREFIX) or any(phrase in words for phrase in _POLICY_WORDS):
        return PolicyRefused("The provider's terms do not let this account serve here.")
    if code == "subscription_sharing_unsupported_capability":
        return Misconfigured("This account's route does not take a field of the request.")
    if code in ENDED or _is_no_key(fault):
        return SignInNeeded("The provider does not accept this sign-in any more.")
    return None


def _too_many(headers: Mapping[str, str], now: datetime) -> DoorkeyError:
    """Tell a used-up allowance from a request to slow down, by what the headers say of the windows and of the wait."""
    full = [each for each in read_windows(headers, now) if each.used_percent == 100 and not each.is_rate]
    wait = retry_after(headers, now)
    if full:
        resets = [each.resets_at for each in full if each.resets_at]
        return UsageLimitReached("The plan is used up for now.", until=_capped(max(resets, default=None), now))
    if wait is not None and wait > LONGEST_THROTTLE:
        return UsageLimitReached("The plan or key is used up for now.", until=_until(headers, {}, now))
    return ProviderUnavailable(_busy(429), retry_after=wait)


def _busy(status: int) -> str:
    if status == 429:
        return "The provider asks to slow down."
    return f"The provider is not available just now (status {status})."


def _fault(body: bytes) -> Mapping[str, Any]:
    """Find the error object: OpenAI and Anthropic nest it, plan routes send `detail`, RFC 6749 a plain text.

    Google's OpenAI-compatible route wraps it in a list.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    return _inner(parsed) if isinstance(parsed, dict) else {}


def _inner(body: Mapping[str, Any]) -> Mapping[str, Any]:
    fault = body.get("error", body)
    if isinstance(fault, str):
        return {"code": fault}
    return fault if isinstance(fault, Mapping) else {}


def _code(fault: Mapping[str, Any]) -> str:
    return str(fault.get("code") or fault.get("type") or "")


def _is_no_key(fault: Mapping[str, Any]) -> bool:
    """Whether this is Google's word for a key that is none: it has status 400 (ErrorInfo of google.rpc)."""
    details = fault.get("details")
    named = [each for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
    return any(each.get("reason") == "API_KEY_INVALID" for each in named)


def _words(fault: Mapping[str, Any]) -> str:
    return str(fault.get("message") or fault.get("detail") or "").lower()


def _until(headers: Mapping[str, str], fault: Mapping[str, Any], now: datetime) -> datetime | None:
    """Find when the limit opens again; none is guessed where the provider names none."""
    resets_at, resets_in = fault.get("resets_at"), fault.get("resets_in_seconds")
    try:
        if isinstance(resets_at, int | float):
            return _capped(datetime.fromtimestamp(resets_at, UTC), now)
        wait = resets_in if isinstance(resets_in, int | float) else retry_after(headers, now)
        return _capped(now + timedelta(seconds=wait), now) if wait is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _capped(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now + LONGEST_CLOSURE)
