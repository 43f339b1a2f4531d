"""Renew one account under its lease: re-read, adopt what is newer, else refresh once and save before anything else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from doorkey.domain.account import RENEWAL, Account, Held, Proof, Standing, State
from doorkey.domain.provider import Method, origin
from doorkey.domain.tokens import Tokens
from doorkey.errors import (
    DoorkeyError,
    Misconfigured,
    OriginChanged,
    ProviderUnavailable,
    SignInNeeded,
    StorageFull,
    StoreBusy,
)
from doorkey.flows import steps, wire
from doorkey.flows.discovery import discovered
from doorkey.flows.steps import Flow, Lease

DEADLINE = timedelta(seconds=20)
LEASE = DEADLINE * 2
LONGEST_PAUSE = timedelta(seconds=15)
SAVE_TRIES = 20
SAVE_PAUSE = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """Why a renewal is wanted; `done` says of a re-read account that somebody else has seen to it."""

    method: Method
    done: Callable[[Held, datetime], bool]


class LeaseLost(DoorkeyError):
    """The lease ran out before anything was sent; the caller starts over."""

    code = "lease_lost"


def renew(lease: Lease, lapse: Lapse) -> Flow[Held]:
    """Renew under the lease and return what now stands in the vault.

    Raises LeaseLost before anything was sent, SignInNeeded when the grant is dead, Misconfigured when the set-up is
    wrong, ProviderUnavailable when the fault passes; each is recorded on the account first, and nothing is deleted.
    """
    held = yield from steps.load(lease.account)
    moment = yield from steps.now()
    if lapse.done(held, moment):
        return held
    refuse_hopeless(held.account, lapse.method, moment)
    if held.tokens.refresh is None:
        return (
            yield from _fail(
                held.account, lapse.method, SignInNeeded("This sign-in has ended and cannot renew itself."), moment
            )
        )
    try:
        method = yield from discovered(lapse.method)
        request = wire.refresh_request(method, held.account.identity.client_id or "", held.tokens.refresh)
    except (Misconfigured, ProviderUnavailable) as error:
        return (yield from _fail(held.account, lapse.method, error, moment))
    if origin(request.url) != held.account.origins.token:
        changed = OriginChanged("The token address in the config is not the one that this account was made for.")
        return (yield from _fail(held.account, lapse.method, changed, moment))
    if not (yield from steps.owns_lease(lease, DEADLINE)):
        raise LeaseLost("The right to renew ran out.")
    try:
        response = yield from steps.send(replace(request, timeout=DEADLINE))
        answered = yield from steps.now()
        tokens, _ = wire.read_tokens(response, answered, held.tokens)
    except (SignInNeeded, Misconfigured, ProviderUnavailable) as error:
        return (yield from _fail(held.account, lapse.method, error, moment))
    return (yield from _keep(held, tokens, answered))


def refuse_hopeless(account: Account, method: Method, moment: datetime) -> None:
    """Raise what an earlier renewal has already learnt, so that nobody hammers the provider."""
    standing = account.standing
    if standing.state is State.SIGN_IN_NEEDED:
        raise SignInNeeded(f"{account.label} has to sign in again: {standing.reason or 'the sign-in ended.'}")
    if standing.blocked_for(method.setup):
        raise Misconfigured(f"{account.label} is blocked: {standing.reason or 'its set-up is wrong.'}")
    if standing.retry_at is not None and moment < standing.retry_at:
        wait = (standing.retry_at - moment).total_seconds()
        raise ProviderUnavailable("The provider could not renew the sign-in just now.", retry_after=wait)


def _keep(held: Held, tokens: Tokens, moment: datetime) -> Flow[Held]:
    """Save the rotated pair against the generation that was read; a newer one there is adopted instead.

    A full disk or a locked database is waited for: the old pair is worth nothing any more, so giving up loses a login.
    """
    read = held.account.generation
    renewed = replace(
        held.account,
        generation=read + 1,
        expires_at=tokens.expires_at,
        renews=tokens.refresh is not None,
        standing=_renewed(held.account.standing, Proof(moment, RENEWAL)),
    )
    for _ in range(SAVE_TRIES - 1):
        try:
            saved = yield from steps.save(renewed, tokens, read=read)
            break
        except (StoreBusy, StorageFull):
            yield from steps.sleep(SAVE_PAUSE)
    else:
        saved = yield from steps.save(renewed, tokens, read=read)
    return Held(renewed, tokens) if saved else (yield from steps.load(held.account.id))


def _renewed(standing: Standing, proof: Proof) -> Standing:
    """Forget the fault that this renewal ended; a used-up plan stays used up."""
    if standing.state is State.OVER_LIMIT:
        return Standing(state=State.OVER_LIMIT, reason=standing.reason, until=standing.until, proof=proof)
    return Standing(proof=proof)


def _fail(account: Account, method: Method, error: DoorkeyError, moment: datetime) -> Flow[Held]:
    """Record what the failure means, keep everything else, and raise it; a newer pair is adopted instead."""
    chance = (yield from steps.random(1))[0] / 255
    failed = replace(account, standing=_after(account.standing, method, error, moment, chance))
    if (yield from steps.save_standing(failed)):
        raise error
    return (yield from steps.load(account.id))


def _after(standing: Standing, method: Method, error: DoorkeyError, moment: datetime, chance: float) -> Standing:
    if isinstance(error, SignInNeeded):
        return replace(standing, state=State.SIGN_IN_NEEDED, reason=str(error), retry_at=None)
    if isinstance(error, Misconfigured):
        return replace(standing, state=State.BLOCKED, reason=str(error), retry_at=None, setup=method.setup)
    # The pause doubles with each failure and is spread by chance, so that many programs do not return at once.
    # Retry-After is honoured up to the cap: a person must not wait long for a fault that has already ended.
    wished = getattr(error, "retry_after", None)
    seconds = wished if wished is not None else 2 ** min(standing.failures, 4) * (0.5 + chance / 2)
    retry_at = moment + min(timedelta(seconds=seconds), LONGEST_PAUSE)
    return replace(standing, retry_at=retry_at, failures=standing.failures + 1)
