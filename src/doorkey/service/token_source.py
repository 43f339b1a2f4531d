"""Hands out a usable token: at once while it is fresh, renewed by one caller when it is not."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from doorkey.domain.account import Account, Held
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Freshness, Tokens
from doorkey.flows.valid_tokens import Key, Need, valid_tokens
from doorkey.ports import Accounts, Clock, Runner

# How long a token may be handed out before we ask whether another process changed the account.
RECHECK = timedelta(seconds=1)


class Source(Protocol):
    """Hands out a credential, and another one when that was refused."""

    def get(self, at_least: timedelta = ...) -> Secret: ...
    def renew(self, rejected: Secret) -> Secret: ...


class Renewals:
    """Let callers in one process share a renewal instead of queueing for the lease; `after` is called at its end."""

    def __init__(self, runner: Runner, after: Callable[[Need], None] = lambda _: None) -> None:
        self._runner = runner
        self._after = after
        self._lock = Lock()
        self._live: dict[Key, Future[Held]] = {}
        self._beside: set[Future[Held]] = set()

    def join(self, need: Need) -> Future[Held]:
        """Return the renewal that serves this need, starting it if there is none; it ends whoever stops waiting."""
        key = need.key
        with self._lock:
            live = self._live.get(key)
            if live is None:
                live = self._live[key] = self._runner.start(valid_tokens(need))
                live.add_done_callback(lambda _: self._end(need))
            return live

    def under_way(self, need: Need) -> bool:
        """Whether a renewal that serves this need has been started and not yet ended."""
        return need.key in self._live

    def begin(self, need: Need) -> None:
        """Let a renewal go on beside the caller; what goes wrong is recorded on the account."""
        renewal = self.join(need)
        self._beside.add(renewal)
        renewal.add_done_callback(self._beside.discard)

    def close(self) -> None:
        """Wait for what goes on beside, which nobody else does: a short command may end before its renewal."""
        wait(list(self._beside))

    def _end(self, need: Need) -> None:
        self._live.pop(need.key, None)
        self._after(need)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cache:
    """What `get()` looks at: no step is run and no store opened while the clock stands below `good_until`.

    `version` is the vault's as it was before `held` was read; None where that is not known.
    """

    secret: Secret | None = None
    good_until: float = 0.0
    held: Held | None = None
    version: int | None = None


class TokenSource:
    """A managed account's token source; safe to share between threads. Never returns an expired token.

    `used` is told of every use that is not answered by the cache.
    """

    def __init__(
        self,
        account: Account,
        method: Method,
        *,
        accounts: Accounts,
        clock: Clock,
        renewals: Renewals,
        used: Callable[[], None],
    ) -> None:
        self.account_id = account.id
        self.method = method
        self._accounts = accounts
        self._clock = clock
        self._renewals = renewals
        self._used = used
        self._cache = _Cache()
        self._reading = Lock()

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return a usable token, renewed if needed; a stale one at once, while it is renewed beside.

        `at_least` is how long it should still last; beyond its whole life the freshest there is comes back. Raises
        SignInNeeded, Misconfigured, ProviderUnavailable, RefreshTimedOut and the vault's errors.
        """
        cache = self._cache
        if not at_least and time.time() < cache.good_until and cache.secret is not None:  # noqa: TID251 - the hot path
            return cache.secret
        return self._look(self.need(at_least=at_least)).tokens.access

    def peek(self) -> Secret | None:
        """Return the token only if it is known to be fresh, without asking anybody."""
        cache = self._cache
        return cache.secret if time.time() < cache.good_until else None  # noqa: TID251 - the hot path

    def renew(self, rejected: Secret) -> Secret:
        """Return another token than the one that was just refused; the same one if it is too young (rule 4)."""
        return self._look(self.need(rejected=rejected)).tokens.access

    def held(self) -> Held:
        """Return the account with a token that is not due for renewal; who hands it on cannot renew it later."""
        need = self.need()
        return self._settled(need) or self._renewed(need)

    def settle(self, need: Need) -> Held | None:
        """Return what serves the need as the vault stands, or None when a renewal has to be waited for."""
        if self._has_to_wait(need):
            return None
        held, version = self._reread()
        now = self._clock.now()
        if need.satisfied(held, now):
            return self.remember(held, version)
        if not need.tolerates(held, now):
            return None
        if not held.account.standing.pausing(now):
            self._renewals.begin(need)
        return self.remember(held, version)

    def remember(self, held: Held, version: int | None = None) -> Held:
        """Keep what serves for the next `get()`; a stale token is not kept, so that its renewal is noticed."""
        now = self._clock.now()
        fresh_for = min(_fresh_for(held, now), RECHECK)
        self._cache = _Cache(
            secret=held.tokens.access,
            good_until=time.time() + fresh_for.total_seconds(),  # noqa: TID251 - the hot path
            held=held,
            version=version,
        )
        # Here, because the hot path has no time for it: what it hands out was witnessed within the last second.
        self._used()
        return held

    def need(self, *, at_least: timedelta = timedelta(0), rejected: Secret | None = None) -> Need:
        """Say what a caller needs of this account."""
        return Need(account=self.account_id, method=self.method, at_least=at_least, rejected=rejected)

    def _look(self, need: Need) -> Held:
        return self.settle(need) or self._renewed(need)

    def _settled(self, need: Need) -> Held | None:
        held, version = self._reread()
        return self.remember(held, version) if need.satisfied(held, self._clock.now()) else None

    def _has_to_wait(self, need: Need) -> bool:
        """Whether a renewal is under way here and what was last read does not serve: its reader looks for all of us."""
        held = self._cache.held
        if held is None or not self._renewals.under_way(need):
            return False
        now = self._clock.now()
        return not (need.satisfied(held, now) or need.tolerates(held, now))

    def _renewed(self, need: Need) -> Held:
        return self.remember(self._renewals.join(need).result())

    def _reread(self) -> tuple[Held, int]:
        """Load the account only when the vault has changed since somebody here last did; a crowd loads it once."""
        with self._reading:
            version, cache = self._accounts.version(), self._cache
            if cache.held is not None and version == cache.version:
                return cache.held, version
            held = self._accounts.load(self.account_id)
            self._cache = _Cache(held=held, version=version)
            return held, version


def _fresh_for(held: Held, now: datetime) -> timedelta:
    tokens = held.tokens
    if tokens.freshness(now) is not Freshness.FRESH:
        return timedelta(0)
    return RECHECK if tokens.stale_at is None else tokens.stale_at - now


class WatchedSource:
    """A source of which every use is told; for those that have no hot path."""

    def __init__(self, inner: Source, used: Callable[[], None]) -> None:
        self._inner = inner
        self._used = used

    def tokens(self, at_least: timedelta = timedelta(0)) -> Tokens | None:
        """Return what `get` does with its end, where the source inside knows one."""
        asked = getattr(self._inner, "tokens", None)
        tokens: Tokens | None = asked(at_least) if asked else None
        if tokens is not None:
            self._used()
        return tokens

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return what the source inside gives."""
        secret = self._inner.get(at_least)
        self._used()
        return secret

    def renew(self, rejected: Secret) -> Secret:
        """Return another credential, where the source inside has one."""
        return self._inner.renew(rejected)


class FixedSource:
    """The source of a key that lies outside the vault, or of a server that wants none; there is nothing to renew."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return the key."""
        return self._secret

    def renew(self, rejected: Secret) -> Secret:
        """Return the same key: the caller sees that it is, and gives up."""
        return self._secret
