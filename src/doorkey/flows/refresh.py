"""Renew one account under its lease: re-read, adopt what is newer, else refresh once and save before anything else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from doorkey.domain.account import LONGEST_PAUSE, RENEWAL, Account, Held, Proof, Sent, Standing, State
from doorkey.domain.provider import Method, origin
from doorkey.domain.secret import Secret
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
from doorkey.flows.steps import Flow, Lease, Request, Response

DEADLINE = timedelta(seconds=20)
LEASE = DEADLINE * 2
GRACE = timedelta(seconds=1)
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
    if lease.overtaken:
        # After a suspend all wake at once: a holder whose answer came before it needs only this moment to save it.
        yield from steps.sleep(GRACE)
    held = yield from steps.load(lease.account)
    moment = yield from steps.now()
    if lapse.done(held, moment):
        return held
    refuse_hopeless(held.account, lapse.method, moment)
    try:
        request = yield from _request(held, lapse.method)
    except (SignInNeeded, Misconfigured, ProviderUnavailable) as error:
        return (yield from _fail(held.account, lapse.method, error, moment))
    return (yield from _exchange(lease, held, lapse.method, request))


def refuse_hopeless(account: Account, method: Method, moment: datetime) -> None:
    """Raise what an earlier renewal has already learnt, so that nobody hammers the provider."""
    standing = account.standing
    if standing.state is State.SIGN_IN_NEEDED:
        raise SignInNeeded(f"{account.label} has to sign in again: {standing.reason or 'the sign-in ended.'}")
    if standing.blocked_for(method.setup):
        raise Misconfigured(f"{account.label} is blocked: {standing.reason or 'its set-up is wrong.'}")
    if standing.retry_at is not None and standing.pausing(moment):
        wait = (standing.retry_at - moment).total_seconds()
        raise ProviderUnavailable("The provider could not renew the sign-in just now.", retry_after=wait)


def ended(refresh: Secret) -> str:
    """Name the note that a refresh token's grant has ended: it outlives the row, which may come back by a restore."""
    return f"ended:{refresh.digest()}"


def _request(held: Held, method: Method) -> Flow[Request]:
    """Build the request, or raise why there can be none."""
    refresh = held.tokens.refresh
    if refresh is None:
        raise SignInNeeded("This sign-in has ended and cannot renew itself.")
    if (verdict := (yield from steps.recall(ended(refresh)))) is not None:
        raise SignInNeeded(verdict)
    request = wire.refresh_request((yield from discovered(method)), held.account.identity.client_id or "", refresh)
    if origin(request.url) != held.account.origins.token:
        raise OriginChanged("The token address in the config is not the one that this account was made for.")
    return request


def _exchange(lease: Lease, held: Held, method: Method, request: Request) -> Flow[Held]:
    """Send once, and keep what comes back; that it leaves is recorded before, which also proves that we can write."""
    moment = yield from steps.now()
    marked = _marked(held, moment)
    if not (yield from steps.save_standing(marked)) or not (yield from steps.owns_lease(lease, DEADLINE)):
        raise LeaseLost("The right to renew ran out.")
    try:
        response = yield from steps.send(replace(request, timeout=DEADLINE))
    except (Misconfigured, ProviderUnavailable) as error:
        return (yield from _fail(marked, method, error, moment))
    answered = yield from steps.now()
    try:
        tokens, _ = wire.read_tokens(response, answered, held.tokens)
    except SignInNeeded as error:
        return (yield from _bury(held, method, _explained(held, error, response), answered))
    except (Misconfigured, ProviderUnavailable) as error:
        # A refusal has replaced nothing; behind every other answer a new pair may have been lost.
        account = held.account if 400 <= response.status < 500 else marked
        return (yield from _fail(account, method, error, moment))
    return (yield from _keep(held, tokens, answered))


def _marked(held: Held, moment: datetime) -> Account:
    """Note that the refresh token is used now; where an earlier use was never answered, that one stays noted."""
    account, refresh = held.account, _digest(held)
    earlier = account.standing.sent
    sent = earlier if earlier and earlier.refresh == refresh else Sent(moment, refresh)
    return replace(account, standing=replace(account.standing, sent=sent))


def _explained(held: Held, error: SignInNeeded, response: Response) -> SignInNeeded:
    """Say what happened to a token that the provider calls used: we used it, and were interrupted."""
    sent, code = held.account.standing.sent, wire.used_before(response)
    if code is None or sent is None or sent.refresh != _digest(held):
        return error
    return SignInNeeded(f"It was interrupted while renewing on {sent.at:%Y-%m-%d %H:%M} (UTC); sign in again ({code}).")


def _bury(held: Held, method: Method, error: SignInNeeded, moment: datetime) -> Flow[Held]:
    """Remember by the token itself that its grant has ended, and record it on the account."""
    if held.tokens.refresh is not None:
        yield from steps.remember(ended(held.tokens.refresh), str(error))
    return (yield from _fail(held.account, method, error, moment))


def _digest(held: Held) -> str:
    return held.tokens.refresh.digest() if held.tokens.refresh else ""


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
