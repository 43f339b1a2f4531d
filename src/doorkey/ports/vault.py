"""What we need of the vault: accounts, leases, attempts, choices, and the keys that seal them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from doorkey.domain.account import Account, Held
from doorkey.domain.attempt import Attempt, Status
from doorkey.domain.secret import Secret
from doorkey.flows.steps import Lease


class Cipher(Protocol):
    """Seals what is secret; `context` binds a sealed value to its place, so that it opens nowhere else.

    `open` raises KeyUnreadable when the key or the place is wrong.
    """

    def seal(self, plain: bytes, context: str) -> bytes: ...
    def open(self, sealed: bytes, context: str) -> bytes: ...


class Roll(Protocol):
    """Who is in the vault; works without the master key. All but `all` stay quick however many there are."""

    def all(self) -> Sequence[Account]:
        """Every account, oldest first."""
        ...

    def of(self, provider: str) -> Sequence[Account]:
        """The accounts at a provider, oldest first."""
        ...

    def first(self, provider: str) -> Account | None:
        """The account that takes precedence at a provider (`Account.precedence`)."""
        ...

    def one(self, account: str) -> Account | None:
        """The account with this id."""
        ...

    def named(self, text: str) -> Sequence[Account]:
        """Those that a person may mean: by name, by e-mail, or as `PROVIDER/LABEL`; oldest first."""
        ...

    def due(self, by: datetime) -> Sequence[Account]:
        """Those whose access ends by then and that may renew without a person (`RENEWING`); the next to end first."""
        ...

    def find(self, account: Account) -> Account | None:
        """Find the row of the same provider, method and identity key.

        Where no subject is known: the row of that name, or the one unnamed row of the method when it has no name.
        """
        ...


class Accounts(Roll, Protocol):
    """The accounts in the vault. Saving compares generations, so that a slow holder never overwrites a newer pair."""

    def load(self, account: str) -> Held:
        """Raise UnknownName, or KeyUnreadable."""
        ...

    def save(self, held: Held, *, read: int | None) -> bool:
        """Save durably where `read` is the generation that stands there (None: no such row yet), else return False.

        It is refused too where its identity, of a known subject, has another row already: two first sign-ins make one.
        """
        ...

    def save_standing(self, account: Account) -> bool:
        """Record the standing where the account's generation still stands; tokens and generation stay."""
        ...

    def rename(self, account: str, name: str) -> None:
        """Give it another name; under its lease, because a renewal saves the whole row."""
        ...

    def forget(self, account: str) -> None:
        """Delete a row: only ever by a person's own action."""
        ...

    def version(self) -> int:
        """A number that changes when anybody else changed the vault; cheap."""
        ...


class Leases(Protocol):
    """The right to refresh one account, or to make one run: by row, with an owner and an end, in no transaction."""

    def take(self, account: str, span: timedelta) -> Lease | None: ...
    def owns(self, lease: Lease, span: timedelta) -> bool: ...
    def extend(self, lease: Lease, span: timedelta) -> bool:
        """Let it end a whole span from now; False where somebody else has taken it over."""
        ...

    def release(self, lease: Lease) -> None: ...


class Attempts(Protocol):
    """Sign-ins under way, sealed."""

    def save(self, attempt: Attempt, *, was: Status | None) -> bool:
        """Keep it where its status is still `was` (None: it is new), else return False."""
        ...

    def load(self, attempt: str) -> Attempt: ...
    def sweep(self, now: datetime) -> None:
        """Remove what had expired then, with all that was kept for a person's word, but no exchange under way."""
        ...


class Choices(Protocol):
    """Small named texts in the vault: default accounts, directory rules, consents, registrations, ended grants."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def starting(self, prefix: str) -> Mapping[str, str]:
        """Return those whose names start so, by name."""
        ...


class KeyFacts(NamedTuple):
    """What can be told of a vault's key; `source` is None until the first secret is sealed."""

    source: str | None
    protects: str
    problem: str | None = None
    """Why the vault does not open now."""
    hint: str | None = None
    recovery_code_at: datetime | None = None
    rotating: bool = False
    left_behind: str | None = None
    """Where the key before this one could not be removed yet."""


class KeyRing(Protocol):
    """The keys of the vault. A change is a row of steps: wherever it breaks off, the vault opens as before or after.

    Raises KeyUnreadable where the vault does not open, and StoreBusy where another program changes the keys too.
    """

    def facts(self) -> KeyFacts: ...
    def needs(self, secret: bytes) -> bool:
        """Whether this is the key that the vault opens with now."""
        ...

    def move(self, source: str, *, code: Secret | None = None, beside: "KeyRing | None" = None) -> Iterator[None]:
        """Make a new master key in a source and remove the old one, unless the vault `beside` needs the same one.

        A recovery code opens what the old source lost.
        """
        ...

    def rotate(self, code: Secret | None = None) -> Iterator[int | Secret]:
        """Seal everything again under a new data key, or go on with that, and yield how many rows are left.

        Then yield a recovery code to be shown: a new one, or that of a vault beside. The ones before end with the step
        after.
        """
        ...
