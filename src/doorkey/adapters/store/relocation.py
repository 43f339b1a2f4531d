"""Moving an account to the other of two vaults, when its policy says that it belongs there.

The copy lies hidden in the new vault before the row in the old one becomes an empty mark of it, by one
compare-and-save: up to there the account is in the old vault, from there on in the new. Whoever opens the vaults next
finishes a move that was broken off; a mark says which copy is its own, so that a copy that came to nothing is never
taken for one.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import filterfalse
from secrets import token_hex
from typing import Protocol

from doorkey.adapters.store.stores import Vault
from doorkey.domain.account import Account, Held, Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, UnknownName
from doorkey.flows.steps import Lease

HIDDEN = "~moving"
"""The provider of rows that are no accounts: copies that are not valid yet, and the marks of what has left."""

COPY = "~"
"""What the id of a copy ends with."""

SPAN = timedelta(seconds=40)
"""How long nobody may renew an account that moves."""


class Terms(Protocol):
    """Where accounts belong."""

    def __call__(self, provider: str, method: str) -> bool | None:
        """Whether what is kept for a method must stay on this machine; None where that is not known."""
        ...

    def confined(self) -> Sequence[str]:
        """The providers that have a method whose accounts must stay."""
        ...


def visible(accounts: Iterable[Account]) -> list[Account]:
    """Leave out what is no account."""
    return [account for account in accounts if account.provider != HIDDEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """Moves accounts between the shared vault and the local one.

    What must stay here leaves the shared vault by itself; what may be shared goes there when somebody signs in again,
    because nobody expects a variable to send away what is in a file. A fault leaves all where it is, for the next try.
    """

    shared: Vault
    local: Vault
    terms: Terms

    def settle(self) -> None:
        """Finish what was broken off, and move here what must stay here; who is being renewed is left for later."""
        with suppress(DoorkeyError):
            for source, target in ((self.shared, self.local), (self.local, self.shared)):
                for mark in filterfalse(_is_copy, source.accounts.of(HIDDEN)):
                    with _alone(source, mark.id) as lease:
                        if lease:
                            _finish(source, target, mark)
            self._sweep()
            for provider in self.terms.confined():
                for account in self.shared.accounts.of(provider):
                    self._move(account)

    def move(self, account: Account) -> None:
        """Move one account if it lies in the wrong vault and nobody renews it."""
        with suppress(DoorkeyError):
            self._move(account)

    def _move(self, account: Account) -> None:
        belongs_here = self.terms(account.provider, account.method)
        lies_here = self.local.accounts.one(account.id) is not None
        if belongs_here is None or belongs_here is lies_here:
            return
        source, target = (self.local, self.shared) if lies_here else (self.shared, self.local)
        with suppress(UnknownName), _alone(source, account.id) as lease:
            if lease:
                _carry(source, target, lease)

    def _sweep(self) -> None:
        """Remove copies here that came to nothing; those in the shared vault may be another machine's."""
        for copy in filter(_is_copy, self.local.accounts.of(HIDDEN)):
            account = copy.id.removesuffix(COPY)
            with _alone(self.shared, account) as lease:
                mark = self.shared.accounts.one(account)
                if lease and (mark is None or mark.method != copy.method):
                    self.local.accounts.forget(copy.id)


@contextmanager
def _alone(source: Vault, account: str) -> Iterator[Lease | None]:
    """Keep others from renewing an account; gives None where somebody does just now."""
    lease = source.leases.take(account, SPAN)
    try:
        yield lease
    finally:
        if lease:
            source.leases.release(lease)


def _carry(source: Vault, target: Vault, lease: Lease) -> None:
    """Copy an account, then make its row a mark."""
    held = source.accounts.load(lease.account)
    account = held.account
    # The same identity may have signed in there as well: then both stay.
    if account.provider == HIDDEN or target.accounts.find(account) is not None:
        return
    tag = f"{token_hex(8)} {account.provider} {account.method}"
    copy = replace(account, id=f"{account.id}{COPY}", provider=HIDDEN, method=tag)
    target.accounts.forget(copy.id)
    target.accounts.save(replace(held, account=copy), read=None)
    off = Standing(state=State.OFF)
    mark = replace(account, provider=HIDDEN, method=tag, standing=off, renews=False, generation=_next(account))
    empty = replace(held.tokens, access=Secret(""), refresh=None, id_token=None)
    ours = source.leases.owns(lease, SPAN / 2)
    if ours and source.accounts.save(Held(mark, empty), read=account.generation):
        _finish(source, target, mark)
    else:
        target.accounts.forget(copy.id)


def _finish(source: Vault, target: Vault, mark: Account) -> None:
    """Make the copy that belongs to a mark valid, and remove both; a mark whose copy is elsewhere stays."""
    copy_id = f"{mark.id}{COPY}"
    copy = target.accounts.one(copy_id)
    if copy is not None and copy.method == mark.method:
        held = target.accounts.load(copy_id)
        _, provider, method = mark.method.split(" ")
        moved = replace(held.account, id=mark.id, provider=provider, method=method, generation=_next(mark))
        if not target.accounts.save(replace(held, account=moved), read=None) and not target.accounts.one(mark.id):
            # The same identity has signed in there meanwhile.
            source.accounts.save(replace(held, account=moved), read=mark.generation)
            target.accounts.forget(copy_id)
            return
    if target.accounts.one(mark.id) is not None:
        target.accounts.forget(copy_id)
        source.accounts.forget(mark.id)


def _is_copy(account: Account) -> bool:
    return account.id.endswith(COPY)


def _next(account: Account) -> int:
    return account.generation + 1
