"""Sign in with an authorization code and PKCE: begin an attempt, then finish it with a checked callback.

RFC 6749 section 4.1, RFC 7636, RFC 8252; ID tokens by OpenID Connect Core 3.1.3.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from doorkey.domain.account import PLAN_NOT_SHARED, SIGNED_IN, Account, Identity, Origins, Proof, Standing, State
from doorkey.domain.attempt import DYNAMIC_CLIENT, Arrival, Attempt, Callback, Status, parse_callback
from doorkey.domain.provider import Api, Grant, Method, origin
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import (
    ConsentNeeded,
    DoorkeyError,
    Misconfigured,
    ProviderUnavailable,
    SignInFailed,
    SignInNeeded,
    StoreBusy,
)
from doorkey.flows import identity, pkce, steps, wire
from doorkey.flows.steps import Flow, Request
from doorkey.flows.userinfo import who_signed_in

LIFETIME = timedelta(minutes=10)
KEEP_TRIES = 20
APP_NAME = "Doorkey"
USED = "This sign-in has already been used or cancelled."
TRY_AGAIN = "Try again: only the last step is repeated, you need not approve anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sign-in is for: provider and method, where it returns to, and whom it reconnects."""

    provider: str
    method: Method
    api: Api
    redirect: str
    host_id: str
    name: str | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a token endpoint gave for a sign-in, with the issuer's keys to prove it by.

    `nonce` is None where none was sent. `there` is the time by the server's clock, because a computer whose own is
    wrong must still be able to sign in.
    """

    client_id: str
    tokens: Tokens
    body: Mapping[str, Any]
    jwks: bytes | None
    nonce: Secret | None
    there: datetime


class SomebodyElse(ConsentNeeded):
    """Another person signed in than the one whose account was to be reconnected."""

    def __init__(self, expected: Account, arrival: Arrival) -> None:
        super().__init__(
            f"You became {arrival.identity.label or 'somebody else'}, not {expected.label}.",
            hint="Keep it as another account; or start again, and use a private window.",
        )
        self.arrival = arrival


def begin(plan: Plan) -> Flow[tuple[Attempt, str]]:
    """Make an attempt, keep it, and return it with the URL to open."""
    attempt = yield from new_attempt(plan)
    url = authorize_url(plan, attempt)
    yield from steps.save_attempt(attempt, was=None)
    return attempt, url


def new_attempt(plan: Plan) -> Flow[Attempt]:
    """Make an attempt with three separate random values (rule 11)."""
    moment = yield from steps.now()
    method = plan.method
    redirect, state = plan.redirect, pkce.urlsafe((yield from steps.random()))
    if method.grant is Grant.KEY:
        # Whoever listens had to know the path before this began.
        redirect, _, state = plan.redirect.rpartition("/")
    verifier = pkce.urlsafe((yield from steps.random()))
    nonce = pkce.urlsafe((yield from steps.random()))
    tag = pkce.urlsafe((yield from steps.random(12)))
    return Attempt(
        id=f"sgn_{tag}",
        provider=plan.provider,
        method=method.id,
        redirect=redirect,
        state=Secret(state),
        verifier=Secret(verifier),
        nonce=Secret(nonce),
        client_id=_client_id(plan),
        created_at=moment,
        expires_at=moment + LIFETIME,
        issuer=method.issuer,
        iss_always_sent=method.iss_always_sent,
        registers=method.registers,
        state_in_path=method.grant is Grant.KEY,
        account=plan.account.id if plan.account else None,
        name=plan.name,
    )


def _client_id(plan: Plan) -> str:
    if plan.method.registers:
        known = plan.account.identity.client_id if plan.account else None
        return known or DYNAMIC_CLIENT
    if plan.method.lacks_client_id:
        raise without_client_id(plan.provider, plan.method)
    return plan.method.client_id or ""


def without_client_id(provider: str, method: Method) -> Misconfigured:
    """Make the error for a method that needs a registration of the person's own."""
    hint = f"Set client_id under [providers.{provider}.methods.{method.id}] to one issued to you."
    return Misconfigured(f"{provider} {method.id} has no client id.", hint=hint)


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
    moment = yield from steps.now()
    if moment >= attempt.expires_at:
        return (yield from end(attempt, SignInFailed("The sign-in took too long and has expired.")))
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
    moment = yield from steps.now()
    if moment >= attempt.expires_at:
        return (yield from end(attempt, SignInFailed("The sign-in took too long and has expired.")))
    return (yield from settle(attempt, _exchange(plan, attempt, attempt.callback)))


def keep_arrival(plan: Plan, attempt: Attempt) -> Flow[Account]:
    """Keep who signed in instead of the account that was to be reconnected, as an account of their own."""
    if attempt.arrived is None:
        raise SignInFailed(USED)
    who, tokens = attempt.arrived.identity, attempt.arrived.tokens
    own = replace(plan, account=None, name=None)
    return (yield from settle(attempt, keep(own, who, tokens, Proof(tokens.issued_at, SIGNED_IN))))


def settle(attempt: Attempt, rest: Flow[Account]) -> Flow[Account]:
    """Do the rest of a sign-in, whatever its caller does; the attempt ends, or waits for a person's word."""
    yield from steps.detach()
    was, attempt = attempt.status, replace(attempt, status=Status.EXCHANGING)
    if not (yield from steps.save_attempt(attempt, was=was)):
        raise SignInFailed(USED)
    try:
        account = yield from rest
    except SomebodyElse as error:
        return (yield from _wait(attempt, Status.SOMEBODY_ELSE, error, arrived=error.arrival))
    except ProviderUnavailable as error:
        if attempt.callback is None:
            return (yield from end(attempt, error))
        again = ProviderUnavailable(str(error), retry_after=error.retry_after, hint=TRY_AGAIN)
        return (yield from _wait(attempt, Status.UNANSWERED, again, callback=attempt.callback))
    except DoorkeyError as error:
        return (yield from end(attempt, error))
    done = replace(_emptied(attempt), status=Status.SIGNED_IN, account=account.id)
    yield from steps.save_attempt(done, was=Status.EXCHANGING)
    return account


def end(attempt: Attempt, error: DoorkeyError) -> Flow[Account]:
    """Let an attempt end as failed, and raise why."""
    failed = replace(_emptied(attempt), status=Status.FAILED, error=error.code, hint=error.hint)
    yield from steps.save_attempt(failed, was=attempt.status)
    raise error


def _wait(
    attempt: Attempt,
    status: Status,
    error: DoorkeyError,
    *,
    callback: Callback | None = None,
    arrived: Arrival | None = None,
) -> Flow[Account]:
    """Leave it to a person what becomes of an attempt, and raise why."""
    waiting = replace(attempt, status=status, error=error.code, hint=error.hint, callback=callback, arrived=arrived)
    yield from steps.save_attempt(waiting, was=attempt.status)
    raise error


def _emptied(attempt: Attempt) -> Attempt:
    """Let go of what an attempt that is over needs no more."""
    return replace(attempt, callback=None, arrived=None)


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


def admit(plan: Plan, given: Given) -> Flow[Account]:
    """Find out whose tokens these are, by their ID token where there is one or else by asking, and keep them."""
    claims: Mapping[str, Any] = {}
    if given.tokens.id_token is not None and given.jwks is not None:
        claims = yield from steps.verify_id_token(given.tokens.id_token, given.jwks)
        identity.check_claims(claims, plan.method, given.client_id, given.nonce, given.there)
    if not claims and plan.method.userinfo_url is not None:
        who = yield from who_signed_in(plan.method, plan.method.userinfo_url, given.client_id, given.tokens)
    else:
        who = identity.read(plan.method, given.client_id, claims, given.body)
    if plan.account is not None and plan.account.identity.key != who.key:
        raise SomebodyElse(plan.account, Arrival(who, given.tokens))
    return (yield from keep(plan, who, given.tokens, Proof(given.tokens.issued_at, SIGNED_IN)))


def signing_keys(method: Method) -> Flow[bytes | None]:
    """Fetch the keys that the issuer signs ID tokens with; None where none is asked for."""
    if "openid" not in method.scopes or method.jwks_url is None:
        return None
    response = yield from steps.send(Request(method="GET", url=method.jwks_url, network=method.network))
    if response.status != 200:
        raise ProviderUnavailable("The issuer's signing keys could not be fetched.")
    return response.body


def keep(plan: Plan, who: Identity, tokens: Tokens, proof: Proof | None) -> Flow[Account]:
    """Save tokens as a new account, or in the row that this identity already has."""
    moment = yield from steps.now()
    new = yield from _new_account(plan, who, tokens, moment, proof)
    known = plan.account
    for _ in range(KEEP_TRIES):
        known = known or (yield from steps.find_account(new))
        account = _in_the_row_of(known, new) if known else new
        if (yield from steps.save(account, tokens, read=known.generation if known else None)):
            return account
        # Somebody came first: with a renewal of this row, or with another first sign-in of the same identity.
        known = (yield from steps.load(plan.account.id)).account if plan.account else None
    raise StoreBusy("The account changed again and again while it was kept.")


def _in_the_row_of(known: Account, new: Account) -> Account:
    return replace(
        new, id=known.id, name=new.name or known.name, created_at=known.created_at, generation=known.generation + 1
    )


def _new_account(plan: Plan, who: Identity, tokens: Tokens, moment: datetime, proof: Proof | None) -> Flow[Account]:
    tag = pkce.urlsafe((yield from steps.random(12)))
    method = plan.method
    return Account(
        id=f"acc_{tag}",
        name=plan.name,
        provider=plan.provider,
        method=method.id,
        identity=who,
        origins=Origins(
            api=origin(plan.api.base_url),
            token=origin(method.token_url) if method.token_url else None,
            revoke=origin(method.revoke_url) if method.revoke_url else None,
        ),
        payer=method.payer,
        created_at=moment,
        renews=tokens.refresh is not None,
        expires_at=tokens.expires_at,
        standing=_standing(method, tokens, proof),
    )


def _standing(method: Method, tokens: Tokens, proof: Proof | None) -> Standing:
    """Say how a new sign-in stands; one without the plan's scope keeps its identity, and the plan stays closed."""
    # A response without a scope grants what was asked for (RFC 6749 section 5.1).
    if method.plan_scope is None or tokens.scope is None or method.plan_scope in tokens.scope.split():
        return Standing(proof=proof)
    return Standing(state=State.BLOCKED, reason=PLAN_NOT_SHARED, proof=proof)
