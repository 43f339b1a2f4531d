"""The steps that flows ask for; a runtime answers them, a test answers them by hand.

A generator has one type of reply, so each step has a small typed function to be used with `yield from`:

    moment = yield from steps.now()
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from doorkey.domain.account import Account, Held
from doorkey.domain.attempt import Attempt, Status
from doorkey.domain.network import USUAL, Network
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import DoorkeyError


class Cancelled(DoorkeyError):
    """Enters a flow at the step that it waits at, when its caller gave up; the flow tidies up and ends."""

    code = "cancelled"
    hint = "Start again when you are ready."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request to a provider's OAuth endpoint; the body is in `form` or in `json`; a GET has none.

    `network` is the provider's own; the transport lays it over what holds for all.
    """

    method: str
    url: str
    form: Mapping[str, str | Secret] | None = None
    json: Mapping[str, str | Secret] | None = None
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=20)
    network: Network = USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer with its body read; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh one account, or to ask about one sign-in; `owner` is unique to this taking of it.

    `overtaken` means that the former holder ran out of time and may still live, with a pair that it is about to save.
    """

    account: str
    owner: str
    overtaken: bool = False


class Step:
    """Something that a flow wants from its runtime."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Now(Step):
    """Answered with the time (UTC)."""


@dataclass(frozen=True, slots=True)
class Random(Step):
    """Answered with this many random bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Answered with a Response; ProviderUnavailable enters when there was none."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """Answered with None after this time."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Load(Step):
    """Answered with what the vault holds of an account; UnknownName enters when there is none."""

    account: str


@dataclass(frozen=True, slots=True)
class Save(Step):
    """Answered with True when saved; False when another generation than `read` stands there (fencing)."""

    held: Held
    read: int | None


@dataclass(frozen=True, slots=True)
class SaveStanding(Step):
    """Answered with True when the account's state was saved; tokens and generation stay. False as for Save."""

    account: Account


@dataclass(frozen=True, slots=True)
class TakeLease(Step):
    """Answered with a Lease, or None while somebody else holds it."""

    account: str
    span: timedelta


@dataclass(frozen=True, slots=True)
class OwnsLease(Step):
    """Answered with whether the lease is still ours for at least this long, on a clock that counts suspend."""

    lease: Lease
    span: timedelta


@dataclass(frozen=True, slots=True)
class ExtendLease(Step):
    """Answered with whether the lease is still ours; it then ends this long from now."""

    lease: Lease
    span: timedelta


@dataclass(frozen=True, slots=True)
class ReleaseLease(Step):
    """Answered with None; a lease that is no longer ours is left alone."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Version(Step):
    """Answered with a number that changes when anybody changes the vault; cheap enough to ask often."""


@dataclass(frozen=True, slots=True)
class Recall(Step):
    """Answered with the small text that the vault keeps under this name, or None."""

    name: str


@dataclass(frozen=True, slots=True)
class Remember(Step):
    """Answered with None when the vault keeps this small text under its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SaveAttempt(Step):
    """Answered with True when the attempt moved; False when it was no longer in `was` (None: a new one)."""

    attempt: Attempt
    was: Status | None


@dataclass(frozen=True, slots=True)
class VerifyIdToken(Step):
    """Answered with the claims of an ID token whose signature is one of these keys'; SignInFailed enters otherwise."""

    token: Secret
    jwks: bytes


@dataclass(frozen=True, slots=True)
class FindAccount(Step):
    """Answered with the account of this identity (see `Accounts.find`), or None."""

    account: Account


@dataclass(frozen=True, slots=True)
class Detach(Step):
    """Answered with None; from here on the flow goes on to its end, whatever its caller does."""


Result = TypeVar("Result")
Flow = Generator[Step, Any, Result]


def now() -> Flow[datetime]:
    """Ask for the time."""
    moment: datetime = yield Now()
    return moment


def random(size: int = 32) -> Flow[bytes]:
    """Ask for random bytes."""
    chance: bytes = yield Random(size)
    return chance


def send(request: Request) -> Flow[Response]:
    """Ask for an HTTP exchange."""
    response: Response = yield Send(request)
    return response


def sleep(span: timedelta) -> Flow[None]:
    """Ask to be woken later."""
    yield Sleep(span)


def load(account: str) -> Flow[Held]:
    """Ask for an account with its tokens."""
    held: Held = yield Load(account)
    return held


def save(account: Account, tokens: Tokens, *, read: int | None) -> Flow[bool]:
    """Ask to keep new tokens against the generation that was read; None for an account that is new."""
    saved: bool = yield Save(Held(account, tokens), read)
    return saved


def save_standing(account: Account) -> Flow[bool]:
    """Ask to record how an account stands, without touching its tokens."""
    saved: bool = yield SaveStanding(account)
    return saved


def take_lease(account: str, span: timedelta) -> Flow[Lease | None]:
    """Ask for the right to refresh."""
    lease: Lease | None = yield TakeLease(account, span)
    return lease


def owns_lease(lease: Lease, span: timedelta) -> Flow[bool]:
    """Ask whether the right to refresh still lasts."""
    owned: bool = yield OwnsLease(lease, span)
    return owned


def extend_lease(lease: Lease, span: timedelta) -> Flow[bool]:
    """Ask to keep a right for longer."""
    extended: bool = yield ExtendLease(lease, span)
    return extended


def release_lease(lease: Lease) -> Flow[None]:
    """Give the right to refresh back."""
    yield ReleaseLease(lease)


def version() -> Flow[int]:
    """Ask for the vault's version."""
    number: int = yield Version()
    return number


def recall(name: str) -> Flow[str | None]:
    """Ask for what is kept under a name."""
    text: str | None = yield Recall(name)
    return text


def remember(name: str, text: str) -> Flow[None]:
    """Ask to keep a small text under a name."""
    yield Remember(name, text)


def save_attempt(attempt: Attempt, *, was: Status | None) -> Flow[bool]:
    """Ask to keep an attempt that moves on from `was`."""
    moved: bool = yield SaveAttempt(attempt, was)
    return moved


def verify_id_token(token: Secret, jwks: bytes) -> Flow[Mapping[str, Any]]:
    """Ask for the claims of a signed ID token."""
    claims: Mapping[str, Any] = yield VerifyIdToken(token, jwks)
    return claims


def find_account(account: Account) -> Flow[Account | None]:
    """Ask for the account that this identity already has."""
    found: Account | None = yield FindAccount(account)
    return found


def detach() -> Flow[None]:
    """Ask to be finished even when the caller stops waiting."""
    yield Detach()
