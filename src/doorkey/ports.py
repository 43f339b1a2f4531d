"""What we need from the world: small protocols, named for their roles, that the adapters fill."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol

from doorkey.domain.account import Account, Held
from doorkey.domain.approval import Approval, ApprovalState
from doorkey.domain.attempt import Attempt, Status
from doorkey.domain.audit import Entry
from doorkey.domain.conversation import Conversation, Event, EventKind, Run
from doorkey.domain.provider import Provider
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.domain.usage import Usage
from doorkey.flows.steps import Flow, Lease, Request, Response, Result


class Clock(Protocol):
    """The time (UTC), and waiting."""

    def now(self) -> datetime: ...
    def sleep(self, span: timedelta) -> None: ...


class Entropy(Protocol):
    """Chance that nobody can guess."""

    def bytes(self, size: int) -> bytes: ...


class Transport(Protocol):
    """One HTTP exchange with a provider's OAuth endpoints; raises ProviderUnavailable when there is no answer.

    `Request.timeout` is a total deadline; redirects are not followed.
    """

    def send(self, request: Request) -> Response: ...


class Signatures(Protocol):
    """Checks an ID token's signature against a JWKS; raises SignInFailed."""

    def claims(self, token: Secret, jwks: bytes) -> Mapping[str, Any]: ...


class Cipher(Protocol):
    """Seals what is secret; `context` binds a sealed value to its place, so that it opens nowhere else.

    `open` raises KeyUnreadable when the key or the place is wrong.
    """

    def seal(self, plain: bytes, context: str) -> bytes: ...
    def open(self, sealed: bytes, context: str) -> bytes: ...


class Accounts(Protocol):
    """The accounts in the vault. Saving compares generations, so that a slow holder never overwrites a newer pair."""

    def all(self) -> Sequence[Account]:
        """Every account, oldest first; works without the master key."""
        ...

    def load(self, account: str) -> Held:
        """Raise UnknownName, or KeyUnreadable."""
        ...

    def save(self, held: Held, *, read: int | None) -> bool:
        """Save durably where `read` is the generation that stands there (None: no such row yet), else return False."""
        ...

    def save_standing(self, account: Account) -> bool:
        """Record the standing where the account's generation still stands; tokens and generation stay."""
        ...

    def forget(self, account: str) -> None:
        """Delete a row: only ever by a person's own action."""
        ...

    def find(self, account: Account) -> Account | None:
        """Find the row of the same provider, method and identity key.

        Where no subject is known: the row of that name, or the one unnamed row of the method when it has no name.
        """
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


class Choices(Protocol):
    """Small named texts in the vault: default accounts, consents, registrations, and how grants ended."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...


class Preferences(Protocol):
    """What the app remembers for the person, in clear text: last model, folder, theme."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...


class Conversations(Protocol):
    """Chats, newest first."""

    def all(self) -> Sequence[Conversation]: ...
    def load(self, conversation: str) -> Conversation: ...
    def save(self, conversation: Conversation) -> None: ...
    def delete(self, conversation: str) -> None: ...


class Runs(Protocol):
    """The answers of a conversation, oldest first, with the model messages that the next one builds on."""

    def of(self, conversation: str) -> Sequence[Run]: ...
    def load(self, run: str) -> Run: ...
    def save(self, run: Run, *, history: bytes | None = None) -> None:
        """Keep a run; `history` (all model messages up to here, JSON) replaces the former where it is given."""
        ...

    def history(self, run: str) -> bytes | None: ...


class Ledger(Protocol):
    """What the answers of all chats have used."""

    def usage(self, since: datetime | None = None) -> Sequence[Usage]:
        """Sum what was used from a moment on; what belonged to a deleted chat is gone with it."""
        ...


class Audit(Protocol):
    """Who did what with which account: only ever added to, the oldest dropped; never a secret in it."""

    def record(self, *entries: Entry) -> None: ...
    def touch(self, uses: Mapping[str, datetime]) -> None:
        """Move the last use of accounts on; `record` does not."""
        ...

    def read(self, limit: int, account: str | None = None) -> Sequence[Entry]:
        """Return the newest first."""
        ...

    def last_uses(self) -> Mapping[str, datetime]: ...


class Events(Protocol):
    """The numbered events of runs, from 1, without gaps."""

    def append(self, run: str, kind: EventKind, body: Mapping[str, object]) -> Event: ...
    def since(self, run: str, number: int) -> Sequence[Event]: ...


class Approvals(Protocol):
    """Tool calls that wait for a person; every move is checked, so that an approval is used once (rule 12)."""

    def add(self, approval: Approval) -> None:
        """Raise ApprovalRefused when the run already has a call of this id."""
        ...

    def load(self, approval: str) -> Approval: ...
    def of(self, run: str) -> Sequence[Approval]: ...
    def move(self, approval: Approval, *, was: ApprovalState) -> bool:
        """Keep it where its state is still `was`, else return False."""
        ...


class Allowances(Protocol):
    """What the person allowed for a whole chat: a tool with its path, or exactly one command."""

    def allows(self, conversation: str, scope: str) -> bool: ...
    def allow(self, conversation: str, scope: str) -> None: ...


class PageSessions(Protocol):
    """Browser sessions of the local page: stored hashed, for 30 days, listed and revocable."""

    def add(self, cookie: Secret, key: Secret, label: str) -> None: ...
    def check(self, cookie: Secret, key: Secret | None) -> bool:
        """Whether the cookie is a live session's and, where it is given, the key is that session's too."""
        ...

    def revoke(self, session: str) -> None: ...
    def all(self) -> Sequence["PageSession"]: ...


class PageSession(NamedTuple):
    """One browser that may use the page."""

    id: str
    label: str
    created_at: datetime
    seen_at: datetime


class FoundKey(NamedTuple):
    """A key that lies outside the vault; `where` is `environment` or the path of a `.env` file."""

    name: str
    secret: Secret
    where: str


class Surroundings(Protocol):
    """Known key names in the environment and in `.env` files; nothing else is ever read there (rule 5)."""

    def find(self, names: Sequence[str]) -> FoundKey | None: ...


class Catalog(Protocol):
    """The providers as built in and merged with the config; read anew when the file changed."""

    def all(self) -> Sequence[Provider]: ...
    def provider(self, provider: str) -> Provider:
        """Raise UnknownName."""
        ...

    def problems(self) -> Sequence[str]:
        """Mistakes in the config, each with its line and key."""
        ...

    def env_files(self) -> Sequence[PurePath]:
        """The `.env` files that the config names: trusted without asking."""
        ...


class Outcome(NamedTuple):
    """What became of a reply: shown on the page that the browser lands on; `finished` frees the port."""

    ok: bool
    title: str
    text: str
    finished: bool


class Browser(Protocol):
    """Opens a page for the person; says whether it could."""

    def open(self, url: str) -> bool: ...


class Listener(Protocol):
    """A loopback port that waits for one callback."""

    redirect: str
    """The redirect URI with the port that is really held."""

    def close(self) -> None:
        """Free the port; safe to call twice."""
        ...


class Listen(Protocol):
    """Opens a listener on the redirect's port, else on a fallback port; raises PortBusy when none is free."""

    def __call__(self, redirect: str, fallback_ports: Sequence[int], deliver: Callable[[str], Outcome]) -> Listener: ...


class Runner(Protocol):
    """Answers the steps of a flow until it ends; `start` does it beside the caller, which may stop waiting."""

    def run(self, flow: Flow[Result]) -> Result: ...
    def start(self, flow: Flow[Result]) -> Future[Result]: ...


class AsyncRunner(Protocol):
    """The same for asyncio; a caller that is cancelled stops waiting."""

    async def run(self, flow: Flow[Result]) -> Result: ...


class Profiles(Protocol):
    """Sign-ins that a vendor's own tool keeps; raises SignInNeeded where there is none."""

    def active(self) -> str: ...
    def read(self, profile: str) -> Tokens: ...
    def renew(self, profile: str) -> Tokens:
        """Let the vendor's SDK renew and write it; raise ProviderUnavailable when that may work later."""
        ...


class Practice(Protocol):
    """Starts the practice provider when something asks for it; does nothing for other providers."""

    def ensure(self, provider: Provider) -> None: ...


class Passphrases(Protocol):
    """Asks the person for the vault's passphrase; raises KeyUnreadable where nobody can be asked."""

    def ask(self) -> Secret: ...
    def choose(self) -> Secret:
        """Ask for a new one, so that a slip of the finger is noticed."""
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
