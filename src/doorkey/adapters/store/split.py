"""A shared vault with a local one beside it, for the sign-ins whose terms keep them on the person's own machine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from doorkey.adapters.store.accounts import next_to_end, oldest_first
from doorkey.adapters.store.relocation import HIDDEN, Relocation, Terms, visible
from doorkey.adapters.store.stores import KeyedCipher, Vault
from doorkey.domain.account import Account, Held
from doorkey.domain.attempt import Attempt, Status
from doorkey.domain.policy import Storage
from doorkey.domain.secret import Secret
from doorkey.errors import UnknownName
from doorkey.flows.steps import Lease
from doorkey.ports import Accounts, Attempts, Catalog, KeyFacts, KeyRing, Leases


def split(shared: Vault, local: Vault, terms: Terms) -> Vault:
    """Give both vaults as one; everything but accounts, their leases and attempts is in the shared one.

    What lies in the wrong one of them is moved now, where the key is at hand.
    """
    relocation = Relocation(shared=shared, local=local, terms=terms)
    relocation.settle()
    accounts = SplitAccounts(shared.accounts, local.accounts, relocation)
    return replace(
        shared,
        accounts=accounts,
        leases=SplitLeases(shared.leases, local.leases, accounts.is_shared),
        attempts=SplitAttempts(shared.attempts, local.attempts, terms),
        cipher=_BothCiphers(shared.cipher, local.cipher),
        keys=SplitKeys(shared.keys, local.keys),
        is_shared=accounts.is_shared,
        settle=relocation.settle,
        close=lambda: _close_both(shared, local),
    )


@dataclass(frozen=True, slots=True)
class TermsOfPolicies:
    """Fill `Terms` with the policies of a catalog."""

    catalog: Catalog

    def __call__(self, provider: str, method: str) -> bool | None:
        with suppress(UnknownName):
            if known := self.catalog.provider(provider).method(method):
                return known.policy.storage is Storage.LOCAL
        return None

    def confined(self) -> Sequence[str]:
        return [
            provider.id
            for provider in self.catalog.all()
            if any(method.policy.storage is Storage.LOCAL for method in provider.methods)
        ]


class SplitAccounts:
    """Fill `ports.Accounts`: an account goes where its policy says; a new one that none is known for stays here."""

    def __init__(self, shared: Accounts, local: Accounts, relocation: Relocation) -> None:
        self._shared = shared
        self._local = local
        self._relocation = relocation

    def all(self) -> Sequence[Account]:
        return oldest_first(visible([*self._shared.all(), *self._local.all()]))

    def of(self, provider: str) -> Sequence[Account]:
        return oldest_first([*self._shared.of(provider), *self._local.of(provider)])

    def first(self, provider: str) -> Account | None:
        both = (self._shared.first(provider), self._local.first(provider))
        return min(filter(None, both), key=lambda account: account.precedence, default=None)

    def one(self, account: str) -> Account | None:
        found = filter(None, (self._local.one(account), self._shared.one(account)))
        return next(iter(visible(found)), None)

    def named(self, text: str) -> Sequence[Account]:
        return oldest_first(visible([*self._shared.named(text), *self._local.named(text)]))

    def due(self, by: datetime) -> Sequence[Account]:
        return next_to_end(visible([*self._shared.due(by), *self._local.due(by)]))

    def find(self, account: Account) -> Account | None:
        both = oldest_first([*filter(None, (self._shared.find(account), self._local.find(account)))])
        return next(iter(both), None)

    def load(self, account: str) -> Held:
        held = self._of(account).load(account)
        if held.account.provider == HIDDEN:
            raise UnknownName("There is no such account.")
        return held

    def save(self, held: Held, *, read: int | None) -> bool:
        account = held.account
        if read is None:
            here = self._relocation.terms(account.provider, account.method) is not False
            return (self._local if here else self._shared).save(held, read=None)
        saved = self._of(account.id).save(held, read=read)
        if saved:
            self._relocation.move(account)
        return saved

    def save_standing(self, account: Account) -> bool:
        return self._of(account.id).save_standing(account)

    def rename(self, account: str, name: str) -> None:
        self._of(account).rename(account, name)

    def forget(self, account: str) -> None:
        self._of(account).forget(account)

    def version(self) -> int:
        # Neither goes back, so the sum moves with each.
        return self._shared.version() + self._local.version()

    def is_shared(self, account: str) -> bool:
        """Whether this account is not in the local file."""
        return not visible(filter(None, [self._local.one(account)]))

    def _of(self, account: str) -> Accounts:
        return self._shared if self.is_shared(account) else self._local


class SplitLeases:
    """Fill `ports.Leases`: a lease lies beside its account, where everybody looks who can renew that one."""

    def __init__(self, shared: Leases, local: Leases, is_shared: Callable[[str], bool]) -> None:
        self._shared = shared
        self._local = local
        self._is_shared = is_shared

    def take(self, account: str, span: timedelta) -> Lease | None:
        return self._of(account).take(account, span)

    def owns(self, lease: Lease, span: timedelta) -> bool:
        return self._of(lease.account).owns(lease, span)

    def extend(self, lease: Lease, span: timedelta) -> bool:
        return self._of(lease.account).extend(lease, span)

    def release(self, lease: Lease) -> None:
        self._of(lease.account).release(lease)

    def _of(self, account: str) -> Leases:
        return self._shared if self._is_shared(account) else self._local


class SplitAttempts:
    """Fill `ports.Attempts`: a sign-in that must stay here is finished here, the others on any machine."""

    def __init__(self, shared: Attempts, local: Attempts, terms: Terms) -> None:
        self._shared = shared
        self._local = local
        self._terms = terms

    def save(self, attempt: Attempt, *, was: Status | None) -> bool:
        here = self._terms(attempt.provider, attempt.method) is not False
        return (self._local if here else self._shared).save(attempt, was=was)

    def load(self, attempt: str) -> Attempt:
        with suppress(UnknownName):
            return self._local.load(attempt)
        return self._shared.load(attempt)

    def sweep(self, now: datetime) -> None:
        self._local.sweep(now)
        self._shared.sweep(now)


class SplitKeys:
    """Fill `ports.KeyRing`: what is done to the key of one vault is done to the other's; one code opens both."""

    def __init__(self, shared: KeyRing, local: KeyRing) -> None:
        self._shared = shared
        self._local = local

    def facts(self) -> KeyFacts:
        shared, local = self._shared.facts(), self._local.facts()
        return local if local.problem and not shared.problem else shared

    def needs(self, secret: bytes) -> bool:
        return self._shared.needs(secret) or self._local.needs(secret)

    def move(self, source: str, *, code: Secret | None = None, beside: KeyRing | None = None) -> Iterator[None]:
        yield from self._shared.move(source, code=code, beside=self._local)
        # The local vault may have been made after the code was.
        known = code if self._local.facts().recovery_code_at else None
        yield from self._local.move(source, code=known, beside=self._shared)

    def rotate(self, code: Secret | None = None) -> Iterator[int | Secret]:
        for step in self._shared.rotate(code):
            if isinstance(step, Secret):
                yield from self._local.rotate(step)
            else:
                yield step


class _BothCiphers:
    """The shared vault's cipher, whose check asks for the key of both."""

    def __init__(self, shared: KeyedCipher, local: KeyedCipher) -> None:
        self._shared = shared
        self._local = local

    def seal(self, plain: bytes, context: str) -> bytes:
        return self._shared.seal(plain, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        return self._shared.open(sealed, context)

    def check(self) -> None:
        self._shared.check()
        self._local.check()


def _close_both(shared: Vault, local: Vault) -> None:
    with ExitStack() as closing:
        closing.callback(shared.close)
        closing.callback(local.close)
