"""Let tokens in: find out whose they are, and keep them in the row of that identity."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from doorkey.domain.account import PLAN_NOT_SHARED, SIGNED_IN, Account, Identity, Origins, Proof, Standing, State
from doorkey.domain.attempt import Arrival, Attempt
from doorkey.domain.provider import Method, origin
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import ProviderUnavailable, SignInFailed, StoreBusy
from doorkey.flows import identity, pkce, steps
from doorkey.flows.attempts import USED, Plan, SomebodyElse, in_time, settle
from doorkey.flows.steps import Flow, Request
from doorkey.flows.userinfo import who_signed_in

KEEP_TRIES = 20


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


def signing_keys(method: Method) -> Flow[bytes | None]:
    """Fetch the keys that the issuer signs ID tokens with; None where none is asked for."""
    if "openid" not in method.scopes or method.jwks_url is None:
        return None
    response = yield from steps.send(Request(method="GET", url=method.jwks_url, network=method.network))
    if response.status != 200:
        raise ProviderUnavailable("The issuer's signing keys could not be fetched.")
    return response.body


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


def keep_arrival(plan: Plan, attempt: Attempt) -> Flow[Account]:
    """Keep who signed in instead of the account that was to be reconnected, as an account of their own."""
    if attempt.arrived is None:
        raise SignInFailed(USED)
    yield from in_time(attempt)
    who, tokens = attempt.arrived.identity, attempt.arrived.tokens
    own = replace(plan, account=None, name=None)
    return (yield from settle(attempt, keep(own, who, tokens, Proof(tokens.issued_at, SIGNED_IN))))


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
