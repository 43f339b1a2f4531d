"""Moving accounts between vaults: what leaves in a bundle, and what of a bundle is taken in here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from doorkey.domain.account import Account, Held
from doorkey.domain.bundle import Bundle
from doorkey.domain.policy import Storage
from doorkey.domain.provider import Kind, Method
from doorkey.errors import StoreBusy, UnknownName
from doorkey.ports import Accounts, Catalog, Choices, Cipher, Clock
from doorkey.service.consents import for_method, outside
from doorkey.service.resolve import Resolver, way_of

IDENTICAL = "it is here already, as it is in the file"
OLDER = "what is here is newer than the file"
HERE = "it is here already; --replace takes the one from the file"
TAKEN = "its id belongs to another account here"


class Fate(StrEnum):
    """What becomes of an account from a bundle."""

    ADDED = "added"
    REPLACED = "replaced"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One account of a bundle, its counterpart here if there is one, and what is to become of it."""

    there: Held
    here: Account | None
    fate: Fate
    reason: str | None = None


class Moving:
    """Pack accounts into bundles and take them in."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        catalog: Catalog,
        choices: Choices,
        cipher: Cipher,
        clock: Clock,
        resolver: Resolver,
    ) -> None:
        self._accounts = accounts
        self._catalog = catalog
        self._choices = choices
        self._cipher = cipher
        self._clock = clock
        self._resolver = resolver

    def pack(self, names: Sequence[str] = ()) -> Bundle:
        """Pack the accounts of these names, or all, with the choices that belong to them.

        What a vendor's own tool keeps stays: the tokens are not here. Raises UnknownName and KeyUnreadable.
        """
        found = [each for each in named(self._accounts.all(), names) if not self.stays(each)]
        if not found:
            raise UnknownName("There is no account to export.", hint="`doorkey accounts` shows what is here.")
        held = tuple(without_back_off(self._accounts.load(each.id)) for each in found)
        yeses = {name: self._choices.get(f"consent:{name}") for each in found for name in consents_of(each)}
        return Bundle(
            made_at=self._clock.now(),
            accounts=held,
            defaults={each.provider: each.id for each in found if self._resolver.default(each.provider) == each},
            consents={name: given for name, given in yeses.items() if given},
        )

    def stays(self, account: Account) -> bool:
        """Whether a vendor's own tool keeps this sign-in, so that there is nothing to move."""
        method = self._method(account)
        return account.owner is not None or (method is not None and method.kind is Kind.PROFILE)

    def is_local(self, account: Account) -> bool:
        """Whether its terms keep this account's tokens on the person's own computers."""
        method = self._method(account)
        return method is not None and method.policy.storage is Storage.LOCAL

    def is_known(self, account: Account) -> bool:
        """Whether the config here has the provider and the method that this account needs."""
        return self._method(account) is not None

    def plan(self, bundle: Bundle, names: Sequence[str] = (), *, over: bool = False) -> Sequence[Move]:
        """Say what is to become of the accounts of these names, or of all; `over` replaces what is here already.

        Raises UnknownName and KeyUnreadable; changes nothing.
        """
        wanted = named([held.account for held in bundle.accounts], names)
        return [self._judge(held, over=over) for held in bundle.accounts if held.account in wanted]

    def take_in(self, bundle: Bundle, moves: Sequence[Move]) -> None:
        """Do what was planned, account by account; safe to repeat after it was interrupted.

        The row is the last thing that is written for an account: where it stands, its choices do too. Raises StoreBusy
        when an account changed here meanwhile; what came before it is taken in.
        """
        # A key that is missing or wrong is found before anything is written.
        self._cipher.seal(b"", "the beginning of a restore")
        wanted = [move for move in moves if move.fate is not Fate.KEPT]
        self._settle_defaults(bundle, [move.there.account for move in wanted])
        for move in wanted:
            self._take(bundle, move)

    def _judge(self, there: Held, *, over: bool) -> Move:
        here = self._accounts.find(there.account)
        if here is None:
            taken = self._accounts.one(there.account.id) is not None
            return Move(there=there, here=None, fate=Fate.KEPT, reason=TAKEN) if taken else _added(there)
        stands = self._accounts.load(here.id)
        if stands.tokens == there.tokens:
            return Move(there=there, here=here, fate=Fate.KEPT, reason=IDENTICAL)
        older = _age(there) < _age(stands)
        fate = Fate.REPLACED if over else Fate.KEPT
        return Move(there=there, here=here, fate=fate, reason=OLDER if older else None if over else HERE)

    def _take(self, bundle: Bundle, move: Move) -> None:
        row = move.there.account
        if move.here:
            row = replace(
                row,
                id=move.here.id,
                name=move.here.name or row.name,
                created_at=move.here.created_at,
                generation=max(move.here.generation, row.generation) + 1,
            )
        found = self._accounts.find(row)
        if (found and found.id) != (move.here and move.here.id):
            raise _changed(row)
        self._propose(f"served:{row.provider}", row.id)
        for name in consents_of(row):
            if name in bundle.consents:
                self._propose(f"consent:{name}", bundle.consents[name])
        if not self._accounts.save(Held(row, move.there.tokens), read=move.here.generation if move.here else None):
            raise _changed(row)

    def _settle_defaults(self, bundle: Bundle, coming: Sequence[Account]) -> None:
        """Choose before the first row is there: whoever serves here goes on serving, also after an interruption."""
        for provider in {account.provider for account in coming}:
            serves = self._resolver.default(provider)
            chosen = serves.id if serves else bundle.defaults.get(provider)
            if chosen and (serves or chosen in {account.id for account in coming}):
                self._propose(f"default:{provider}", chosen)

    def _propose(self, name: str, value: str) -> None:
        """Make a choice, unless the person has made it here."""
        if self._choices.get(name) is None:
            self._choices.set(name, value)

    def _method(self, account: Account) -> Method | None:
        _, method = way_of(account, self._catalog)
        return method


def named(accounts: Iterable[Account], names: Sequence[str]) -> Sequence[Account]:
    """Return every account that one of the names fits (name, e-mail or id), or all where none is given.

    Raises UnknownName for a name that fits none.
    """
    accounts = list(accounts)
    for name in names:
        if not any(name in {account.id, *account.names} for account in accounts):
            raise UnknownName(f"There is no account “{name}”.", hint="Leave --account out to see all that there are.")
    return [account for account in accounts if not names or {account.id, *account.names}.intersection(names)]


def consents_of(account: Account) -> tuple[str, ...]:
    """Name the yeses that move with an account; those about `.env` files and keys are about one computer."""
    return for_method(account.provider, account.method), outside(account)


def without_back_off(held: Held) -> Held:
    """Forget what was only a wait of the moment."""
    standing = replace(held.account.standing, retry_at=None, failures=0)
    return replace(held, account=replace(held.account, standing=standing))


def _added(there: Held) -> Move:
    return Move(there=there, here=None, fate=Fate.ADDED)


def _changed(account: Account) -> StoreBusy:
    return StoreBusy(f"{account.label} changed here meanwhile.", hint="Restore the file again; that does no harm.")


def _age(held: Held) -> tuple[object, ...]:
    return held.tokens.issued_at, held.account.generation
