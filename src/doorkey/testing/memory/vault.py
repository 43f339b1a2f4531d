"""The stores of a vault in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from threading import RLock

from doorkey.adapters.store.accounts import next_to_end, oldest_first, same_account
from doorkey.adapters.store.attempts import LONGEST_EXCHANGE
from doorkey.domain.account import RENEWING, Account, Held
from doorkey.domain.attempt import Attempt, Status
from doorkey.errors import KeyUnreadable
from doorkey.flows.steps import Lease
from doorkey.testing.memory.rows import known


class MemoryCipher:
    """Fill `ports.Cipher`: a sealed value is only the name of what this object alone remembers.

    While `missing`, the key cannot be read.
    """

    def __init__(self) -> None:
        self.missing = False
        self._numbers = count(1)
        self._sealed: dict[bytes, tuple[bytes, str]] = {}

    def seal(self, plain: bytes, context: str) -> bytes:
        self.check()
        sealed = f"sealed value {next(self._numbers)}".encode()
        self._sealed[sealed] = (plain, context)
        return sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        self.check()
        plain, place = self._sealed.get(sealed, (b"", None))
        if place != context:
            raise KeyUnreadable("This was not sealed here.")
        return plain

    def check(self) -> None:
        if self.missing:
            raise KeyUnreadable("The key is missing.")


class MemoryAccounts:
    """Fill `ports.Accounts`."""

    def __init__(self) -> None:
        self._rows: dict[str, Held] = {}
        self._lock = RLock()
        self._version = 0

    def all(self) -> Sequence[Account]:
        with self._lock:
            return oldest_first(held.account for held in self._rows.values())

    def of(self, provider: str) -> Sequence[Account]:
        return [account for account in self.all() if account.provider == provider]

    def first(self, provider: str) -> Account | None:
        return min(self.of(provider), key=lambda account: account.precedence, default=None)

    def one(self, account: str) -> Account | None:
        return next((known for known in self.all() if known.id == account), None)

    def named(self, text: str) -> Sequence[Account]:
        return [account for account in self.all() if text in account.names]

    def due(self, by: datetime) -> Sequence[Account]:
        renewing = [account for account in self.all() if account.renews and account.standing.state in RENEWING]
        return next_to_end(account for account in renewing if account.expires_at and account.expires_at <= by)

    def find(self, account: Account) -> Account | None:
        return same_account(account, self.all())

    def load(self, account: str) -> Held:
        with self._lock:
            return known(self._rows, account)

    def save(self, held: Held, *, read: int | None) -> bool:
        with self._lock:
            stands = self._rows.get(held.account.id)
            if (stands.account.generation if stands else None) != read:
                return False
            known = self.find(held.account) if held.account.identity.subject is not None else None
            if known and known.id != held.account.id:
                return False
            self._put(held)
            return True

    def save_standing(self, account: Account) -> bool:
        with self._lock:
            stands = self._rows.get(account.id)
            if stands is None or stands.account.generation != account.generation:
                return False
            self._put(Held(replace(stands.account, standing=account.standing), stands.tokens))
            return True

    def rename(self, account: str, name: str) -> None:
        with self._lock:
            if account in self._rows:
                stands = self._rows[account]
                self._put(Held(replace(stands.account, name=name), stands.tokens))

    def forget(self, account: str) -> None:
        with self._lock:
            self._rows.pop(account, None)
            self._version += 1

    def version(self) -> int:
        return self._version

    def _put(self, held: Held) -> None:
        self._rows[held.account.id] = held
        self._version += 1


class MemoryLeases:
    """Fill `ports.Leases`; the holder never dies, its lease only ends."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._owners = count(1)
        self._rows: dict[str, tuple[Lease, datetime]] = {}
        self._lock = RLock()

    def take(self, account: str, span: timedelta) -> Lease | None:
        with self._lock:
            if account in self._rows and self._now() < self._rows[account][1]:
                return None
            lease = Lease(account, f"owner-{next(self._owners)}", overtaken=account in self._rows)
            self._rows[account] = (lease, self._now() + span)
            return lease

    def owns(self, lease: Lease, span: timedelta) -> bool:
        with self._lock:
            stands, ends = self._rows.get(lease.account, (None, self._now()))
            return stands == lease and self._now() + span <= ends

    def extend(self, lease: Lease, span: timedelta) -> bool:
        with self._lock:
            stands, _ = self._rows.get(lease.account, (None, None))
            if stands == lease:
                self._rows[lease.account] = (lease, self._now() + span)
            return stands == lease

    def release(self, lease: Lease) -> None:
        with self._lock:
            if self._rows.get(lease.account, (None,))[0] == lease:
                del self._rows[lease.account]


class MemoryAttempts:
    """Fill `ports.Attempts`."""

    def __init__(self) -> None:
        self._rows: dict[str, Attempt] = {}
        self._lock = RLock()

    def save(self, attempt: Attempt, *, was: Status | None) -> bool:
        with self._lock:
            if was is None:
                self.sweep(attempt.created_at)
            stands = self._rows.get(attempt.id)
            if (stands.status if stands else None) is not was:
                return False
            self._rows[attempt.id] = attempt
            return True

    def load(self, attempt: str) -> Attempt:
        with self._lock:
            return known(self._rows, attempt)

    def sweep(self, now: datetime) -> None:
        with self._lock:
            self._rows = {row.id: row for row in self._rows.values() if not _over(row, now)}


def _over(attempt: Attempt, now: datetime) -> bool:
    grace = LONGEST_EXCHANGE if attempt.status is Status.EXCHANGING else timedelta(0)
    return attempt.expires_at + grace <= now
