"""Sign in with an authorization code and PKCE: begin an attempt, then finish it with a checked callback.

RFC 6749 section 4.1, RFC 7636, RFC 8252; ID tokens by OpenID Connect Core 3.1.3.7.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from doorkey.domain.account import Account
from doorkey.domain.attempt import DYNAMIC_CLIENT, Attempt, Callback, parse_callback
from doorkey.domain.provider import Grant
from doorkey.errors import Misconfigured, SignInFailed, SignInNeeded
from doorkey.flows import pkce, steps, wire
from doorkey.flows.admission import Given, admit, signing_keys
from doorkey.flows.attempts import USED, Plan, end, in_time, new_attempt, settle
from doorkey.flows.steps import Flow

APP_NAME = "Doorkey"


def begin(plan: Plan) -> Flow[tuple[Attempt, str]]:
    """Make an attempt, keep it, and return it with the URL to open."""
    attempt = yield from new_attempt(plan)
    url = authorize_url(plan, attempt)
    yield from steps.save_attempt(attempt, was=None)
    return attempt, url


def authorize_url(plan: Plan, attempt: Attempt) -> str:
    """Build the URL that the browser opens (RFC 6749 section 4.1.1); it holds the challenge, never the verifier."""
    method = plan.method
    if method.authorize_url is None:
        raise Misconfigured(f"{plan.provider} {method.id} has no authorization address.")
    proof = {"code_challenge": pkce.challenge(attempt.verifier), "code_challenge_method": "S256"}
    if method.grant is Grant.KEY:
        return _with_query(method.authorize_url, {"callback_url": attempt.return_address} | proof)
    query = dict(method.authorize_extra) | {
        "response_type": "code",
        "client_id": attempt.client_id,
        "redirect_uri": attempt.redirect,
        "scope": " ".join(method.scopes),
        "state": attempt.state.reveal(),
    }
    if "openid" in method.scopes:
        query["nonce"] = attempt.nonce.reveal()
    if method.resource:
        query["resource"] = method.resource
    if method.registers:
        query["ext_agent_host_id"] = plan.host_id
        if attempt.client_id == DYNAMIC_CLIENT:
            query["agent_name_hint"] = APP_NAME
    return _with_query(method.authorize_url, query | proof)


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def finish(plan: Plan, attempt: Attempt, reply: str) -> Flow[Account]:
    """Exchange a reply for an account and keep it; the attempt ends as signed in or failed.

    Raises ReplyRejected when the reply is not this attempt's (it goes on waiting), and otherwise what ended it.
    """
    yield from in_time(attempt)
    try:
        callback = parse_callback(attempt, reply)
    except SignInFailed as error:
        return (yield from end(attempt, error))
    return (yield from redeem(plan, attempt, callback))


def redeem(plan: Plan, attempt: Attempt, callback: Callback) -> Flow[Account]:
    """Exchange a checked callback; the issued client id is kept before: a crash must not orphan the registration."""
    attempt = replace(attempt, client_id=callback.client_id, callback=callback)
    return (yield from settle(attempt, _exchange(plan, attempt, callback)))


def redeem_again(plan: Plan, attempt: Attempt) -> Flow[Account]:
    """Repeat only the exchange that got no answer, with the code that was kept for that while it lives."""
    if attempt.callback is None:
        raise SignInFailed(USED)
    yield from in_time(attempt)
    return (yield from settle(attempt, _exchange(plan, attempt, attempt.callback)))


def _exchange(plan: Plan, attempt: Attempt, callback: Callback) -> Flow[Account]:
    """Trade the code for tokens and save them at once; the issuer's keys are fetched before, not after."""
    jwks = yield from signing_keys(plan.method)
    try:
        response = yield from steps.send(wire.code_request(plan.method, attempt, callback))
        moment = yield from steps.now()
        tokens, body = wire.read_grant(plan.method, response, moment)
    except SignInNeeded as error:
        raise SignInFailed(
            "The provider refused the code.", hint="Start the sign-in again; a code works once and not for long."
        ) from error
    given = Given(
        client_id=callback.client_id,
        tokens=tokens,
        body=body,
        jwks=jwks,
        nonce=None if attempt.device else attempt.nonce,
        there=moment + wire.clock_skew(response, moment),
    )
    return (yield from admit(plan, given))
