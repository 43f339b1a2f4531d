"""Each exchange as a pair, build the request and read the response; all leniency towards real servers lives here."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from doorkey.domain import waiting
from doorkey.domain.attempt import Attempt, Callback
from doorkey.domain.provider import Grant, Method
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import DoorkeyError, Misconfigured, ProviderUnavailable, SignInNeeded
from doorkey.flows.steps import Request, Response

# The closed list of what ends a grant: RFC 6749 section 5.2 and the codes of Sign in with ChatGPT's errors page.
DEAD = frozenset(
    {
        "invalid_grant",
        "invalid_refresh_token",
        "token_expired",
        "refresh_token_expired",
        "refresh_token_invalidated",
        "refresh_token_reused",
        # GitHub's word for an ended or unknown one.
        "bad_refresh_token",
    }
)
# What a refresh token that was used before is answered with; the others of the list have ended for another reason.
USED_BEFORE = frozenset({"invalid_grant", "invalid_refresh_token", "refresh_token_invalidated", "refresh_token_reused"})
WRONG_SETUP = frozenset(
    {"invalid_client", "unauthorized_client", "invalid_scope", "incorrect_client_credentials"}  # The last is GitHub's.
)
PASSING = frozenset({408, 425, 429})
LONGEST_LIFE = timedelta(days=3660)
SHORTEST_SKEW = timedelta(minutes=1)
LONGEST_SKEW = timedelta(days=1)


def code_request(method: Method, attempt: Attempt, callback: Callback) -> Request:
    """Build the exchange of a checked callback (RFC 6749 section 4.1.3 with RFC 7636's verifier)."""
    if method.grant is Grant.KEY:
        proved: dict[str, str | Secret] = {
            "code": callback.code,
            "code_verifier": attempt.verifier,
            "code_challenge_method": "S256",
        }
        return token_request(method, proved, "json")
    fields: dict[str, str | Secret] = {
        "grant_type": "authorization_code",
        "client_id": callback.client_id,
        "code": callback.code,
        "code_verifier": attempt.verifier,
        "redirect_uri": attempt.redirect,
    }
    if method.resource:
        fields["resource"] = method.resource
    if method.state_in_token_body:
        # Anthropic's token endpoint refuses an exchange without it.
        fields["state"] = attempt.state
    return token_request(method, fields, method.token_body)


def refresh_request(method: Method, client_id: str, refresh: Secret) -> Request:
    """Build a renewal (RFC 6749 section 6); no scope is sent, so that the grant stays as it was given."""
    fields: dict[str, str | Secret] = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": refresh,
    }
    if method.resource:
        fields["resource"] = method.resource
    return token_request(method, fields, method.refresh_body or method.token_body)


def revoke_request(method: Method, client_id: str, token: Secret, hint: str) -> Request:
    """Build a revocation (RFC 7009 section 2.1)."""
    if method.revoke_url is None:
        raise Misconfigured("This method has no revocation address.")
    fields: dict[str, str | Secret] = {"token": token, "token_type_hint": hint, "client_id": client_id}
    return post(method, method.revoke_url, fields, method.revoke_body)


def token_request(method: Method, fields: Mapping[str, str | Secret], body: str) -> Request:
    """Build what is sent to the token endpoint."""
    if method.token_url is None:
        raise Misconfigured("This method has no token address.")
    return post(method, method.token_url, fields, body)


def post(method: Method, url: str, fields: Mapping[str, str | Secret], body: str) -> Request:
    """Build a request that asks for JSON, with its fields as a form or as JSON."""
    accept = {"accept": "application/json"}
    if body == "json":
        return Request(method="POST", url=url, json=fields, headers=accept, network=method.network)
    return Request(method="POST", url=url, form=fields, headers=accept, network=method.network)


def read_grant(method: Method, response: Response, now: datetime) -> tuple[Tokens, dict[str, Any]]:
    """Read what an exchange gave, and the whole body; raises as `read_tokens`."""
    return read_key(response, now) if method.grant is Grant.KEY else read_tokens(response, now)


def read_key(response: Response, now: datetime) -> tuple[Tokens, dict[str, Any]]:
    """Read a key, which never ends by itself; raises SignInNeeded where code or verifier are refused."""
    body = read_body(response)
    if response.status in {400, 401, 403}:
        raise SignInNeeded("The code is not accepted.")
    if response.status >= 400:
        raise refusal(response, None)
    key = body.get("key")
    if not isinstance(key, str) or not key:
        raise ProviderUnavailable("The answer holds no key.")
    return Tokens(access=Secret(key), issued_at=now), body


def read_tokens(response: Response, now: datetime, before: Tokens | None = None) -> tuple[Tokens, dict[str, Any]]:
    """Read a token response into tokens and the whole body; what is absent stays as it was (RFC 6749 section 6).

    Raises the outcome of a refused or unreadable one: SignInNeeded, Misconfigured or ProviderUnavailable.
    """
    body = read_body(response)
    error = error_code(body)
    if response.status >= 400 or error:
        # GitHub answers its token errors with status 200.
        raise refusal(response, error)
    access = body.get("access_token")
    if not isinstance(access, str) or not access:
        raise ProviderUnavailable("The token endpoint's answer holds no token.")
    refresh, skew = body.get("refresh_token"), clock_skew(response, now)
    fresh = Tokens(
        access=Secret(access),
        issued_at=now,
        refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        expires_at=_expiry(body, access, now, skew),
        earliest_refresh_at=_moment(body.get("earliest_refresh_at"), skew),
        scope=body["scope"] if isinstance(body.get("scope"), str) else None,
        id_token=Secret(body["id_token"]) if isinstance(body.get("id_token"), str) else None,
    )
    return (_carried_over(fresh, before) if before else fresh), body


def _carried_over(fresh: Tokens, before: Tokens) -> Tokens:
    return replace(
        fresh,
        refresh=fresh.refresh or before.refresh,
        scope=fresh.scope if fresh.scope is not None else before.scope,
        id_token=fresh.id_token or before.id_token,
    )


def refusal(response: Response, error: str | None) -> DoorkeyError:
    """Sort a refusal of the token endpoint into its outcome (rule 3); the body's own words are never repeated."""
    named = f" ({error})" if error in DEAD | WRONG_SETUP else ""
    if response.status in PASSING or response.status >= 500:
        return ProviderUnavailable("The provider asks to try later.", retry_after=retry_after(response))
    if error in WRONG_SETUP or response.status == 404:
        return Misconfigured(f"The token endpoint does not accept this client{named}.")
    if error in DEAD or response.status == 401:
        return SignInNeeded(f"The sign-in is no longer accepted{named}.")
    return ProviderUnavailable(f"The token endpoint answered with status {response.status}.")


def error_code(body: Mapping[str, Any]) -> str | None:
    """Find the error code: RFC 6749's text, or OpenAI's object with a code; `error_code` names the narrower one."""
    narrower, error = body.get("error_code"), body.get("error")
    if isinstance(narrower, str) and narrower in DEAD | WRONG_SETUP:
        return narrower
    if isinstance(error, dict):
        error = error.get("code") or error.get("type")
    return error if isinstance(error, str) and error else None


def used_before(response: Response) -> str | None:
    """Return the code of a refusal that may mean a refresh token was used before; None where it means otherwise."""
    code = error_code(read_body(response))
    return code if code in USED_BEFORE else None


def retry_after(response: Response) -> float | None:
    """Read how long a token endpoint asks to be left alone."""
    return waiting.retry_after(response.headers)


def read_body(response: Response) -> dict[str, Any]:
    """Read a JSON object; empty where a refusal has none. Raises ProviderUnavailable for any other answer."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if response.status >= 400:
        return {}
    raise ProviderUnavailable("The token endpoint's answer could not be read.")


def clock_skew(response: Response, now: datetime) -> timedelta:
    """Tell how far the server's clock is ahead of ours, by its Date header; more than a day is its mistake."""
    try:
        skew = parsedate_to_datetime(response.headers.get("date", "")) - now
    except (TypeError, ValueError, OverflowError):
        return timedelta(0)
    return skew if SHORTEST_SKEW < abs(skew) <= LONGEST_SKEW else timedelta(0)


def _expiry(body: Mapping[str, Any], access: str, now: datetime, skew: timedelta) -> datetime | None:
    """Find the end of an access token by our clock: `expires_in`, else the `exp` of a JWT as a hint."""
    seconds = body.get("expires_in")
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) < 16:
        # PayPal and some gateways send a text; Python refuses to read an endless one.
        seconds = int(seconds)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return now + min(timedelta(seconds=min(seconds, LONGEST_LIFE.total_seconds())), LONGEST_LIFE)
    return _moment(unverified_claims(access).get("exp"), skew)


def _moment(raw: object, skew: timedelta) -> datetime | None:
    """Read an instant of the server's clock and tell it by ours, which every look-up compares it with.

    It is seconds since 1970, or ISO 8601 text (`earliest_refresh_at` is seen as both).
    """
    try:
        if isinstance(raw, str) and not raw.isdecimal():
            moment = datetime.fromisoformat(raw)
            return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)) - skew
        if isinstance(raw, str | int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(float(raw), UTC) - skew
    except (ValueError, OverflowError, OSError):
        return None
    return None


def unverified_claims(token: str) -> dict[str, Any]:
    """Read the claims of a JWT without proof: only for hints and labels, never to bind an account."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
