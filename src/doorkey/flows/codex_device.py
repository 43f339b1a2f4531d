"""Codex's own way to sign in with a code on another device (protocols 2.3), which is not RFC 8628.

The server makes the verifier, hands it out with an authorization code, and that is exchanged as any other.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from doorkey.domain.account import Account
from doorkey.domain.attempt import Attempt, Callback, Device, handed_callback
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable, SignInFailed
from doorkey.flows import device_wire, steps, wire
from doorkey.flows.attempts import Plan, new_attempt
from doorkey.flows.authorization_code import redeem
from doorkey.flows.device_polling import Waiting, until_decided
from doorkey.flows.steps import Flow, Request, Response

LIFETIME = timedelta(minutes=15)
PAGE = "/codex/device"
CALLBACK = "/deviceauth/callback"
# Both mean that nobody has typed the code yet.
PENDING = frozenset({403, 404})


def begin(plan: Plan) -> Flow[Attempt]:
    """Ask for the two codes, and keep an attempt that holds them."""
    attempt = yield from new_attempt(plan)
    request = wire.post(plan.method, _address(plan.method), {"client_id": attempt.client_id}, "json")
    device = _read_start(plan.method, (yield from steps.send(request)))
    moment = yield from steps.now()
    redirect = f"{_site(plan.method)}{CALLBACK}"
    attempt = replace(attempt, redirect=redirect, device=device, expires_at=moment + LIFETIME)
    yield from steps.save_attempt(attempt, was=None)
    return attempt


def poll(plan: Plan, attempt: Attempt, device: Device) -> Flow[Account | None]:
    """Ask until the person has typed the code; see `until_decided`."""

    def ask(waiting: Attempt) -> Flow[Waiting | Flow[Account]]:
        response = yield from steps.send(_question(plan.method, device))
        if response.status in PENDING:
            return Waiting()
        callback, verifier = _read_code(waiting, response)
        return redeem(plan, replace(waiting, verifier=verifier), callback)

    return until_decided(attempt, device, ask)


def _read_start(method: Method, response: Response) -> Device:
    if response.status == 404:
        raise SignInFailed(
            "This provider gives no device codes just now.",
            hint="Turn on device code sign-in in the security settings of ChatGPT, or sign in with --paste.",
        )
    body = wire.read_body(response)
    if response.status >= 400:
        raise device_wire.refusal(response, wire.error_code(body))
    # The older name of the code was one word.
    user_code = body.get("user_code") or body.get("usercode")
    address = f"{_site(method)}{PAGE}"
    return device_wire.read_device(method, body, code=body.get("device_auth_id"), user_code=user_code, address=address)


def _question(method: Method, device: Device) -> Request:
    fields: dict[str, str | Secret] = {"device_auth_id": device.code, "user_code": device.user_code}
    return wire.post(method, f"{_address(method).rpartition('/')[0]}/token", fields, "json")


def _read_code(attempt: Attempt, response: Response) -> tuple[Callback, Secret]:
    body = wire.read_body(response)
    if response.status >= 400:
        raise device_wire.refusal(response, wire.error_code(body))
    code, verifier = body.get("authorization_code"), body.get("code_verifier")
    if not isinstance(code, str) or not isinstance(verifier, str) or not code or not verifier:
        raise ProviderUnavailable("The provider's answer holds no code.")
    return handed_callback(attempt, Secret(code)), Secret(verifier)


def _address(method: Method) -> str:
    if method.device_url is None:
        raise Misconfigured("This method has no device code.")
    return method.device_url


def _site(method: Method) -> str:
    parts = urlsplit(_address(method))
    return f"{parts.scheme}://{parts.netloc}"
