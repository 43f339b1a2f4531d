"""What a person does with accounts: list them, choose a default, forget one, revoke one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from doorkey.domain.account import Account, Held, Standing, State
from doorkey.domain.provider import Grant, Kind, Provider
from doorkey.errors import ConsentNeeded, DoorkeyError, Misconfigured, SignInNeeded, Temporary, UsageLimitReached
from doorkey.flows.discovery import discovered
from doorkey.flows.revoke import revoke
from doorkey.ports import Accounts, Catalog, Choices, Leases, Runner
from doorkey.service.resolve import Resolver, Wish
from doorkey.service.rules import Rules

# What the refusal of a model call says about the account; other errors say nothing about it.
TOLD_BY = {SignInNeeded: State.SIGN_IN_NEEDED, UsageLimitReached: State.OVER_LIMIT}

LONGEST_NAME = 80
RENAMING = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What a log-out reached; `unconfirmed` says why the provider's side is not certain."""

    account: Account
    revoked: bool
    unconfirmed: DoorkeyError | None = None


class AccountBook:
    """The accounts of this vault; `left` hears the id of each that was forgotten."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        catalog: Catalog,
        choices: Choices,
        resolver: Resolver,
        runner: Runner,
        leases: Leases,
        left: Callable[[str], None],
    ) -> None:
        self._accounts = accounts
        self._catalog = catalog
        self._choices = choices
        self._resolver = resolver
        self._runner = runner
        self._leases = leases
        self._left = left
        self.rules = Rules(choices)

    def all(self) -> Sequence[Account]:
        """Return every account, oldest first; works without the master key."""
        return self._accounts.all()

    def of(self, provider: str) -> Sequence[Account]:
        """Return the accounts at a provider, oldest first."""
        return self._accounts.of(provider)

    def one(self, account: str) -> Account | None:
        """Return the account with this id."""
        return self._accounts.one(account)

    def find(self, text: str) -> Account:
        """Find an account by id, name or e-mail; raises UnknownName."""
        return self._resolver.find(text)

    def is_default(self, account: Account) -> bool:
        """Whether this account serves its provider when none is asked for."""
        default = self._resolver.default(account.provider)
        return default is not None and default.id == account.id

    def selected(self, provider: str, folder: str | None, preferred: str | None = None) -> tuple[str | None, str]:
        """Say which account serves a provider in a folder and by which rule; `preferred` is that of the environment."""
        return self._resolver.selected(Wish(provider=provider, folder=folder, preferred=preferred))

    def missing_yes(self, provider: Provider) -> ConsentNeeded | None:
        """Say which yes the key that lies outside the vault still waits for; None where it waits for none."""
        return self._resolver.missing_yes(provider)

    def use(self, account: Account) -> None:
        """Make this the default account of its provider."""
        self._choices.set(f"default:{account.provider}", account.id)

    def called(self, name: str, provider: str) -> Account | None:
        """Return the account at a provider that a person gave this name."""
        return next((known for known in self._accounts.of(provider) if known.name == name), None)

    def rename(self, account: Account, name: str) -> None:
        """Call an account otherwise. Raises Misconfigured for a name that cannot be, Temporary while it is renewed."""
        name = as_name(name)
        if (other := self.called(name, account.provider)) and other.id != account.id:
            raise name_taken(other, name)
        lease = self._leases.take(account.id, RENAMING)
        if lease is None:
            raise Temporary(f"{account.label} is just being renewed.")
        try:
            self._accounts.rename(account.id, name)
        finally:
            self._leases.release(lease)

    def leave(self, account: Account, *, revoke_too: bool) -> Farewell:
        """Forget an account here, after revoking it at the provider where that was asked for.

        Forgetting always works, also offline and without the key; what the provider did not confirm is in the answer.
        """
        unconfirmed: DoorkeyError | None = None
        if revoke_too:
            try:
                self._revoke(self._accounts.load(account.id))
            except DoorkeyError as error:
                unconfirmed = error
        self._accounts.forget(account.id)
        self._left(account.id)
        if self._choices.get(f"default:{account.provider}") == account.id:
            self._choices.remove(f"default:{account.provider}")
        return Farewell(account, revoked=revoke_too and unconfirmed is None, unconfirmed=unconfirmed)

    def can_revoke(self, account: Account) -> bool:
        """Whether the provider has a way to end this sign-in."""
        return account.origins.revoke is not None

    def _revoke(self, held: Held) -> None:
        if owner := held.account.owner:
            raise Misconfigured(
                f"The sign-in belongs to {owner.label}, and is not ended here.",
                hint=f"Sign out of {owner.label}, if it is to end.",
            )
        method = self._catalog.provider(held.account.provider).method(held.account.method)
        if method is None or method.kind in {Kind.API_KEY, Kind.NONE} or method.grant is Grant.KEY:
            raise Misconfigured("A key is ended on the provider's own page.")
        self._runner.run(revoke(held, self._runner.run(discovered(method))))


def as_name(text: str) -> str:
    """Read what an account shall be called. Raises Misconfigured."""
    name = text.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Misconfigured("That is no name.", hint=f"Take one line of at most {LONGEST_NAME} characters.")
    return name


def name_taken(other: Account, name: str) -> Misconfigured:
    """Say that a name would stand for two accounts."""
    return Misconfigured(f"Another account at {other.provider} is called {name}.", hint="Take another name.")


def refused(standing: Standing, account: Account, error: DoorkeyError) -> Standing:
    """Say how an account stands after a refusal; most of them say nothing about it."""
    state = next((state for kind, state in TOLD_BY.items() if isinstance(error, kind)), None)
    # What another program keeps may be renewed there at any time, and its file says how it stands.
    if state is None or (account.owner and state is State.SIGN_IN_NEEDED):
        return standing
    return replace(standing, state=state, reason=str(error), until=getattr(error, "until", None))
