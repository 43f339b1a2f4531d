"""One token source for each account in a process, so that everybody shares its cache and its renewal."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from doorkey.domain.account import Account, State
from doorkey.domain.network import Network
from doorkey.domain.owner import Owner
from doorkey.domain.provider import Method
from doorkey.errors import Misconfigured
from doorkey.flows.valid_tokens import Need
from doorkey.ports import Accounts, AsyncRunner, Clock, Leases, Practice, Profiles, Runner
from doorkey.service.profile_source import ProfileSource
from doorkey.service.resolve import Choice
from doorkey.service.token_source import FixedSource, Renewals, Source, TokenSource, WatchedSource

if TYPE_CHECKING:
    from doorkey.service.async_source import AsyncRenewals, AsyncTokenSource


Used = Callable[[Choice, str | None], None]
"""Told what was used, and for what where that is known."""


def _unseen(choice: Choice, detail: str | None) -> None:
    """Let a use go by."""


Ready = Callable[[str, Network], None]
"""Gets ready for a next exchange with an address; called where a renewal has ended and the program goes on."""


def _idle(url: str, network: Network) -> None:
    """Get nothing ready."""


class Sources:
    """Make and keep the token sources of this process."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        leases: Leases,
        profiles: Mapping[Owner, Profiles],
        clock: Clock,
        runner: Runner,
        async_runner: Callable[[], AsyncRunner],
        practice: Practice,
        used: Used = _unseen,
        ready: Ready = _idle,
    ) -> None:
        self._accounts = accounts
        self._leases = leases
        self._profiles = profiles
        self._clock = clock
        self._practice = practice
        self._used = used
        self._ready = ready
        self._renewals = Renewals(runner, self._get_ready)
        self._async_runner = async_runner
        self._lock = Lock()
        self._known: dict[str, TokenSource] = {}

    def of(self, choice: Choice, detail: str | None = None) -> Source:
        """Return the source of what was chosen; `detail` says for what, and is told with each use.

        Raises Misconfigured for an account that is switched off.
        """
        used = partial(self._used, choice, detail)
        if choice.account is None:
            if choice.key is None:
                raise Misconfigured("Nothing was chosen.")
            return WatchedSource(FixedSource(choice.key.secret), used)
        return self._managed(choice.account, choice.method, detail, used)

    def for_calls(self, choice: Choice, detail: str | None = None) -> Source:
        """Return the source for calls that follow at once: the practice provider is started where they go there."""
        self._practice.ensure(choice.provider)
        return self.of(choice, detail)

    def async_of(self, choice: Choice, detail: str | None = None) -> "AsyncTokenSource":
        """Return the same for asyncio; nothing is touched before it is first asked."""
        from doorkey.service.async_source import AsyncTokenSource

        return AsyncTokenSource(lambda: self.for_calls(choice, detail), self._async_renewals)

    def renew_beside(self, account: Account, method: Method) -> None:
        """Begin a renewal that nobody waits for; does nothing where it is not due."""
        self._renewals.begin(Need(account=account.id, method=method))

    def close(self) -> None:
        """Wait for the renewals that nobody waits for."""
        self._renewals.close()

    @cached_property
    def _async_renewals(self) -> "AsyncRenewals":
        from doorkey.service.async_source import AsyncRenewals

        return AsyncRenewals(self._async_runner(), self._get_ready)

    def _get_ready(self, need: Need) -> None:
        """Get ready to be the one who renews the next time, after the first time: others may have done that one."""
        ready, self._ready = self._ready, _idle
        if address := need.method.token_url or need.method.issuer:
            ready(address, need.method.network)

    def _managed(self, account: Account, method: Method, detail: str | None, used: Callable[[], None]) -> Source:
        if account.standing.state is State.OFF:
            raise Misconfigured(f"{account.label} is switched off.")
        if owner := account.owner:
            profile = ProfileSource(
                account,
                owner,
                profiles=self._profiles[owner],
                accounts=self._accounts,
                leases=self._leases,
                clock=self._clock,
            )
            return WatchedSource(profile, used)

        def new() -> TokenSource:
            return TokenSource(
                account, method, accounts=self._accounts, clock=self._clock, renewals=self._renewals, used=used
            )

        if detail is not None:
            return new()  # It lives as long as its client; a renewal is shared all the same.
        with self._lock:
            known = self._known.get(account.id)
            if known is None or known.method != method:
                known = self._known[account.id] = new()
            return known
