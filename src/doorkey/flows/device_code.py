"""Sign in with a code that is typed on another device (RFC 8628): begin, then ask until it is decided."""

from dataclasses import replace

from doorkey.domain.account import Account
from doorkey.domain.attempt import Attempt, Device
from doorkey.flows import device_wire, steps, wire
from doorkey.flows.admission import Given, admit, signing_keys
from doorkey.flows.attempts import Plan, new_attempt, settle
from doorkey.flows.device_polling import Waiting, until_decided
from doorkey.flows.steps import Flow, Response


def begin(plan: Plan) -> Flow[Attempt]:
    """Ask for the two codes, and keep an attempt that holds them.

    Neither PKCE nor a nonce has a place here: what is asked with is a secret that only we have.
    """
    attempt = yield from new_attempt(plan)
    response = yield from steps.send(device_wire.start_request(plan.method, attempt.client_id))
    device, lifetime = device_wire.read_start(plan.method, response)
    moment = yield from steps.now()
    attempt = replace(attempt, redirect="", device=device, expires_at=moment + lifetime)
    yield from steps.save_attempt(attempt, was=None)
    return attempt


def poll(plan: Plan, attempt: Attempt, device: Device) -> Flow[Account | None]:
    """Ask until the person has decided; see `until_decided`."""
    fetched: list[bytes | None] = []

    def ask(waiting: Attempt) -> Flow[Waiting | Flow[Account]]:
        if not fetched:
            # Before the tokens are: they come once, and must not be lost because the keys are out of reach.
            fetched.append((yield from signing_keys(plan.method)))
        request = device_wire.token_request(plan.method, waiting.client_id, device)
        response = yield from steps.send(request)
        undecided = device_wire.read_decision(response)
        return undecided or settle(waiting, _admitted(plan, waiting, response, fetched[0]))

    return until_decided(attempt, device, ask)


def _admitted(plan: Plan, attempt: Attempt, response: Response, jwks: bytes | None) -> Flow[Account]:
    moment = yield from steps.now()
    tokens, body = wire.read_tokens(response, moment)
    given = Given(
        client_id=attempt.client_id,
        tokens=tokens,
        body=body,
        jwks=jwks,
        nonce=None,
        there=moment + wire.clock_skew(response, moment),
    )
    return (yield from admit(plan, given))
