"""What RFC 8628 sends and reads, with the leniency that real servers need, each named."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from doorkey.domain.attempt import Device
from doorkey.domain.provider import Method, is_safe
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, Misconfigured, ProviderUnavailable, SignInFailed
from doorkey.flows import wire
from doorkey.flows.device_polling import LONGEST_PAUSE, Waiting
from doorkey.flows.steps import Request, Response

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
LONGEST_LIFE = timedelta(hours=1)
# GitHub's, where a server does not keep to the specification and leaves it out.
USUAL_LIFE = timedelta(minutes=15)
USUAL_INTERVAL = timedelta(seconds=5)
SHORTEST_INTERVAL = timedelta(seconds=1)
LONGEST_USER_CODE = 64
LONGEST_ADDRESS = 2048
# xAI's server says `authorization_denied`.
DENIED = frozenset({"access_denied", "authorization_denied"})
# RFC 6749 section 5.2, and GitHub's own words for the same.
WRONG_CLIENT = wire.WRONG_SETUP | {"device_flow_disabled", "unsupported_grant_type"}


def start_request(method: Method, client_id: str) -> Request:
    """Build the request for a device code (RFC 8628 section 3.1)."""
    if method.device_url is None:
        raise Misconfigured("This method has no device code.")
    fields: dict[str, str | Secret] = {"client_id": client_id}
    if method.scopes:
        fields["scope"] = " ".join(method.scopes)
    if method.resource:
        fields["resource"] = method.resource
    return wire.post(method, method.device_url, fields, "form")


def read_start(method: Method, response: Response) -> tuple[Device, timedelta]:
    """Read the two codes and how long they last (RFC 8628 section 3.2); absurd numbers are bounded."""
    body = wire.read_body(response)
    error = wire.error_code(body)
    if response.status >= 400 or error:
        raise refusal(response, error)
    # Google's server still calls the address `verification_url`.
    address = body.get("verification_uri") or body.get("verification_url")
    code, user_code = body.get("device_code"), body.get("user_code")
    device = read_device(method, body, code=code, user_code=user_code, address=address)
    return device, min(_seconds(body.get("expires_in")) or USUAL_LIFE, LONGEST_LIFE)


def read_device(method: Method, body: Mapping[str, Any], *, code: object, user_code: object, address: object) -> Device:
    """Check what a server gave; raises ProviderUnavailable for what nobody could use, or should open."""
    if not isinstance(code, str) or not code or not _is_shown(user_code, LONGEST_USER_CODE):
        raise ProviderUnavailable("The provider's answer holds no device code.")
    if not _is_page(method, address):
        raise ProviderUnavailable("The provider's answer names no safe page to type the code at.")
    complete = body.get("verification_uri_complete")
    return Device(
        code=Secret(code),
        user_code=str(user_code).strip(),
        verification_uri=str(address),
        verification_uri_complete=str(complete) if _is_page(method, complete) else None,
        interval=read_interval(body) or USUAL_INTERVAL,
    )


def read_interval(body: Mapping[str, Any]) -> timedelta | None:
    """Read how long to wait between two questions, within reason."""
    told = _seconds(body.get("interval"))
    return min(max(told, SHORTEST_INTERVAL), LONGEST_PAUSE) if told else None


def token_request(method: Method, client_id: str, device: Device) -> Request:
    """Build the question whether the person has decided (RFC 8628 section 3.4)."""
    fields: dict[str, str | Secret] = {
        "grant_type": GRANT_TYPE,
        "client_id": client_id,
        "device_code": device.code,
    }
    if method.resource:
        fields["resource"] = method.resource
    return wire.token_request(method, fields, method.token_body)


def read_decision(response: Response) -> Waiting | None:
    """Read the answer to that; None means that it holds tokens.

    Raises what ended the sign-in, and ProviderUnavailable where the answer says nothing about it. GitHub answers its
    errors with status 200.
    """
    body = wire.read_body(response)
    error = wire.error_code(body)
    if error == "authorization_pending":
        return Waiting()
    if error == "slow_down":
        return Waiting(slow_down=True, interval=read_interval(body))
    if error in DENIED:
        raise SignInFailed("The sign-in was not approved.", hint="Start again and allow it, or choose another way.")
    if error == "expired_token":
        raise SignInFailed("The code has expired before anybody allowed the sign-in.")
    if error == "invalid_grant":
        raise SignInFailed("The provider does not know this code any more.")
    if response.status >= 400 or error:
        raise refusal(response, error)
    if not isinstance(body.get("access_token"), str):
        raise ProviderUnavailable("The token endpoint's answer holds no token.")
    return None


def refusal(response: Response, error: str | None) -> DoorkeyError:
    """Sort any other refusal; the body's own words are never repeated, but for a closed list of codes."""
    if response.status in wire.PASSING or response.status >= 500:
        return ProviderUnavailable("The provider asks to try later.", retry_after=wire.retry_after(response))
    if error == "device_flow_disabled":
        hint = "Switch the device flow on in the settings of the app whose client id the config names."
        return Misconfigured("The provider gives this client no device codes.", hint=hint)
    if error in WRONG_CLIENT or response.status in {401, 404}:
        named = f" ({error})" if error in WRONG_CLIENT else ""
        return Misconfigured(f"The provider does not accept this client{named}.")
    return SignInFailed("The provider ended the sign-in.")


def _is_shown(text: object, longest: int) -> bool:
    """Whether this can be shown to a person as it is."""
    return isinstance(text, str) and bool(text.strip()) and len(text) <= longest and text.isprintable()


def _is_page(method: Method, address: object) -> bool:
    """Whether a browser may be sent there; a server elsewhere has no business with what runs on this computer."""
    if not _is_shown(address, LONGEST_ADDRESS) or not is_safe(str(address)):
        return False
    return urlsplit(str(address)).scheme in {"https", urlsplit(method.device_url or "").scheme}


def _seconds(told: object) -> timedelta | None:
    """Read a span; Codex's server sends it as a text. None for what is no span."""
    if isinstance(told, str) and told.isdecimal() and len(told) < 16:
        told = int(told)
    if not isinstance(told, int | float) or isinstance(told, bool) or not told > 0:
        return None
    return timedelta(seconds=min(told, LONGEST_LIFE.total_seconds()))
