"""One identity at one provider: who it is, where its credential may go, and how it stands."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from doorkey.domain.owner import Owner
from doorkey.domain.provider import Payer
from doorkey.domain.tokens import Tokens

# Why a sign-in that proves who somebody is, and no more, is blocked (Sign in with ChatGPT on a plan without it).
PLAN_NOT_SHARED = "this sign-in does not include the use of the plan"


RENEWAL = "renewal"
"""What a proof is called that a renewal gave."""

SIGNED_IN = "sign-in"
"""What a proof is called that a sign-in gave."""

YOUNG = timedelta(seconds=60)
"""How long a renewed token is not renewed again, whoever refuses it (rule 4)."""

LONGEST_PAUSE = timedelta(seconds=15)
"""How long a renewal that failed keeps the next one back, at most."""


class State(StrEnum):
    """How an account stands. LAPSED renews by itself and is no fault."""

    READY = "ready"
    LAPSED = "lapsed"
    CHECKING = "checking"
    SIGN_IN_NEEDED = "sign_in_needed"
    OVER_LIMIT = "over_limit"
    KEY_UNREADABLE = "key_unreadable"
    BLOCKED = "blocked"
    OFF = "off"


RENEWING = frozenset({State.READY, State.OVER_LIMIT})
"""What may renew without a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who signed in, as the provider told it; `subject` None where a provider tells none (an API key).

    Where another program keeps the sign-in, `issuer` is the name of that `Owner`.
    """

    issuer: str | None = None
    client_id: str | None = None
    subject: str | None = None
    workspace: str | None = None
    email: str | None = None
    name: str | None = None
    plan: str | None = None
    workspace_name: str | None = None

    @property
    def key(self) -> tuple[str | None, ...]:
        """What makes two sign-ins the same account: never the e-mail, always the workspace.

        The client id is not part of it: who registers anew with each sign-in is still the same person.
        """
        return (self.issuer, self.subject, self.workspace)

    @property
    def label(self) -> str | None:
        """What a person recognises themselves by."""
        return self.email or self.name or self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The origins that a credential was made for; it is attached to no other."""

    api: str
    token: str | None = None
    revoke: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """The last time a provider answered for this account, and to which call."""

    at: datetime
    call: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A renewal that has left and whose answer is not kept: when, and the digest of the refresh token that it used."""

    at: datetime
    refresh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state that was last recorded, with its reason; `retry_at` and `failures` are the back-off after a fault.

    `setup` is the set-up (`Method.setup`) that a BLOCKED account was refused with: another one is tried again.
    `sent` stands from before a renewal leaves until its pair is saved: should we die in between, it was not forgotten.
    """

    state: State = State.READY
    reason: str | None = None
    until: datetime | None = None
    proof: Proof | None = None
    retry_at: datetime | None = None
    failures: int = 0
    setup: str | None = None
    sent: Sent | None = None

    def pausing(self, now: datetime) -> bool:
        """Whether a fault still keeps the next renewal back; one from before the clock was set back does not."""
        return self.retry_at is not None and timedelta(0) < self.retry_at - now <= LONGEST_PAUSE

    def hopeless_for(self, setup: str) -> bool:
        """Whether only a person can make it renew again."""
        return self.state is State.SIGN_IN_NEEDED or self.blocked_for(setup)

    def blocked_for(self, setup: str) -> bool:
        """Whether the account is blocked, and not by a set-up that has been changed since."""
        return self.state is State.BLOCKED and self.setup in {None, setup}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What may be shown of an account; its tokens are in `Held`."""

    id: str
    provider: str
    method: str
    identity: Identity
    origins: Origins
    payer: Payer
    created_at: datetime
    name: str | None = None
    generation: int = 0
    renews: bool = False
    expires_at: datetime | None = None
    standing: Standing = field(default_factory=Standing)

    @property
    def label(self) -> str:
        """What a person calls this account: its given name, else who it is."""
        return self.name or self.identity.label or f"{self.provider} {self.method}"

    @property
    def owner(self) -> Owner | None:
        """The program that keeps the tokens, where that is not Doorkey."""
        return next((owner for owner in Owner if owner == self.identity.issuer), None)

    @property
    def names(self) -> frozenset[str]:
        """What a person may mean it by, beside its id."""
        return frozenset(filter(None, (self.name, self.identity.email, f"{self.provider}/{self.label}")))

    @property
    def precedence(self) -> tuple[bool, datetime, str]:
        """Sort who serves a provider when nobody chose: a sign-in before a key, then the oldest first."""
        return (self.origins.token is None and self.owner is None, self.created_at, self.id)

    def state(self, now: datetime) -> State:
        """Say how the account stands at `now`; the end of an access token alone is no fault."""
        standing = self.standing
        if standing.state is State.OVER_LIMIT and standing.until is not None and now >= standing.until:
            standing = replace(standing, state=State.READY)
        if standing.state is State.READY and self.expires_at is not None and now >= self.expires_at:
            return State.LAPSED if self.renews else State.SIGN_IN_NEEDED
        return standing.state

    def ends_at(self, refresh_life: timedelta | None) -> datetime | None:
        """Say when it ends for good, where that is known: nothing but a person helps then.

        `refresh_life` is how long a refresh token lives that nobody uses.
        """
        if self.expires_at is None or not self.renews:
            return self.expires_at
        return self.expires_at + refresh_life if refresh_life else None

    def recently_renewed(self, tokens: Tokens, now: datetime) -> bool:
        """Whether a rejection cannot be about age: the token was renewed less than 60 s ago (rule 4)."""
        renewed = self.standing.proof is not None and self.standing.proof.call == RENEWAL
        # A token from the future is one of a clock that was set back since, and tells no age.
        return renewed and abs(now - tokens.issued_at) < YOUNG


@dataclass(frozen=True, slots=True)
class Held:
    """An account with its tokens, as the vault holds them."""

    account: Account
    tokens: Tokens
