"""The witness: writes down what is done with accounts, and on whose errand; it never sees a secret."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from doorkey.domain.account import RENEWAL, Account, Held
from doorkey.domain.audit import Action, Entry, Errand
from doorkey.domain.bundle import Bundle
from doorkey.ports import Accounts, Audit, Clock
from doorkey.service.accounts import AccountBook, Farewell
from doorkey.service.moving import Moving
from doorkey.service.resolve import Choice


class Witness:
    """Record what happens; `errand` says for whom this process acts just now."""

    def __init__(self, audit: Audit, clock: Clock, errand: Callable[[], Errand]) -> None:
        self._audit = audit
        self._clock = clock
        self._errand = errand

    def saw(self, action: Action, account: Account) -> None:
        """Record what was done with an account."""
        errand = self._errand()
        self._audit.record(
            Entry(
                at=self._clock.now(),
                surface=errand.surface,
                action=action,
                label=account.label,
                provider=account.provider,
                method=account.method,
                account=account.id,
                detail=errand.detail,
            )
        )

    def saw_use(self, choice: Choice, detail: str | None = None) -> None:
        """Record that a credential was handed out; `detail` says for what, where that is more than the errand."""
        errand = self._errand()
        self._audit.record(
            Entry(
                at=self._clock.now(),
                surface=errand.surface,
                action=Action.USED,
                label=choice.label,
                provider=choice.provider.id,
                method=choice.method.id,
                account=choice.account.id if choice.account else None,
                detail=detail or errand.detail,
            )
        )


Meaning = Callable[[Held, int | None], Action]
"""Says what was done when an account was saved over a generation, or as a new one."""


def signed_in_or_renewed(held: Held, read: int | None) -> Action:
    """Tell a renewal from a sign-in by what proved it."""
    proof = held.account.standing.proof
    return Action.RENEWED if read is not None and proof and proof.call == RENEWAL else Action.SIGNED_IN


def restored(_held: Held, _read: int | None) -> Action:
    """Say that it came from another vault."""
    return Action.RESTORED


class WatchedAccounts:
    """The accounts of a vault; whatever is saved there is witnessed for what it means."""

    def __init__(self, inner: Accounts, witness: Witness, meaning: Meaning = signed_in_or_renewed) -> None:
        self._inner = inner
        self._witness = witness
        self._meaning = meaning

    def all(self) -> Sequence[Account]:
        return self._inner.all()

    def of(self, provider: str) -> Sequence[Account]:
        return self._inner.of(provider)

    def first(self, provider: str) -> Account | None:
        return self._inner.first(provider)

    def one(self, account: str) -> Account | None:
        return self._inner.one(account)

    def named(self, text: str) -> Sequence[Account]:
        return self._inner.named(text)

    def due(self, by: datetime) -> Sequence[Account]:
        return self._inner.due(by)

    def load(self, account: str) -> Held:
        return self._inner.load(account)

    def save(self, held: Held, *, read: int | None) -> bool:
        saved = self._inner.save(held, read=read)
        if saved:
            self._witness.saw(self._meaning(held, read), held.account)
        return saved

    def save_standing(self, account: Account) -> bool:
        return self._inner.save_standing(account)

    def rename(self, account: str, name: str) -> None:
        self._inner.rename(account, name)

    def forget(self, account: str) -> None:
        self._inner.forget(account)

    def find(self, account: Account) -> Account | None:
        return self._inner.find(account)

    def version(self) -> int:
        return self._inner.version()


class WatchedBook(AccountBook):
    """The account book; whoever leaves it is witnessed."""

    def __init__(self, witness: Witness, **ports: Any) -> None:
        super().__init__(**ports)
        self._witness = witness

    def leave(self, account: Account, *, revoke_too: bool) -> Farewell:
        """Forget an account, as the book does."""
        farewell = super().leave(account, revoke_too=revoke_too)
        if farewell.revoked:
            self._witness.saw(Action.REVOKED, account)
        self._witness.saw(Action.FORGOT, account)
        return farewell


class WatchedMoving(Moving):
    """The moving of accounts; whoever is packed is witnessed."""

    def __init__(self, witness: Witness, *, accounts: Accounts, **ports: Any) -> None:
        super().__init__(accounts=WatchedAccounts(accounts, witness, restored), **ports)
        self._witness = witness

    def pack(self, names: Sequence[str] = ()) -> Bundle:
        """Pack accounts, as the moving does."""
        bundle = super().pack(names)
        for held in bundle.accounts:
            self._witness.saw(Action.EXPORTED, held.account)
        return bundle
