"""The life of an attempt, whichever way it goes: it begins, and it is settled, waits for a person's word, or ends."""

from dataclasses import dataclass, replace
from datetime import timedelta

from doorkey.domain.account import Account
from doorkey.domain.attempt import DYNAMIC_CLIENT, Arrival, Attempt, Callback, Status
from doorkey.domain.provider import Api, Grant, Method
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, DoorkeyError, Misconfigured, ProviderUnavailable, SignInFailed
from doorkey.flows import pkce, steps
from doorkey.flows.steps import Flow

LIFETIME = timedelta(minutes=10)
USED = "This sign-in has already been used or cancelled."
TOO_LATE = "The sign-in took too long and has expired."
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


class SomebodyElse(ConsentNeeded):
    """Another person signed in than the one whose account was to be reconnected."""

    def __init__(self, expected: Account, arrival: Arrival) -> None:
        super().__init__(
            f"You became {arrival.identity.label or 'somebody else'}, not {expected.label}.",
            hint="Keep it as another account; or start again, and use a private window.",
        )
        self.arrival = arrival


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


def in_time(attempt: Attempt) -> Flow[None]:
    """Let an attempt end whose time is over, and raise that."""
    if (yield from steps.now()) >= attempt.expires_at:
        yield from end(attempt, SignInFailed(TOO_LATE))


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
    # A server may give a code on another device an hour; what waits here is somebody's access.
    until = min(attempt.expires_at, (yield from steps.now()) + LIFETIME)
    waiting = replace(attempt, status=status, error=error.code, hint=error.hint, callback=callback, arrived=arrived)
    waiting = replace(waiting, expires_at=until)
    yield from steps.save_attempt(waiting, was=attempt.status)
    raise error


def _emptied(attempt: Attempt) -> Attempt:
    """Let go of what an attempt that is over needs no more."""
    return replace(attempt, callback=None, arrived=None)
