"""Renews what is due before anybody asks, as long as a program of ours stays: nobody waits for a token overnight.

It also lets go of sign-ins that are over their time, and with them of what they kept for a person's word.
"""

from datetime import datetime, timedelta

from doorkey.domain.account import Account
from doorkey.domain.provider import Kind, Method, Provider
from doorkey.domain.tokens import LONGEST_MARGIN
from doorkey.errors import DoorkeyError
from doorkey.ports import Attempts, Catalog, Clock, Entropy, Roll
from doorkey.providers.sandbox import SANDBOX
from doorkey.service.resolve import has_moved, way_of
from doorkey.service.sources import Sources

PERIOD = timedelta(seconds=30)
"""How often to look."""

SPREAD = timedelta(seconds=60)
"""Over how long the renewals are spread that come due together: after a sign-in to several accounts, or a night."""


class Keeper:
    """Looks at the accounts now and then, and begins the renewals that are due."""

    def __init__(
        self,
        *,
        accounts: Roll,
        attempts: Attempts,
        catalog: Catalog,
        sources: Sources,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._accounts = accounts
        self._attempts = attempts
        self._catalog = catalog
        self._sources = sources
        self._clock = clock
        self._entropy = entropy
        self._turns: dict[str, datetime] = {}

    def look(self) -> None:
        """Begin what is due and has its turn; a vault that cannot be read now is looked at again later."""
        try:
            self._attempts.sweep(self._clock.now())
            coming = self._accounts.due(self._clock.now() + LONGEST_MARGIN)
            due = [pair for pair in map(self._due, coming) if pair is not None]
        except DoorkeyError:
            return
        now = self._clock.now()
        self._turns = {account.id: self._turn(account, now) for account, _ in due}
        for account, method in due:
            if self._turns[account.id] <= now:
                self._sources.renew_beside(account, method)

    def _turn(self, account: Account, now: datetime) -> datetime:
        """Keep the moment that was drawn when the account was first seen to be due."""
        return self._turns.get(account.id) or now + SPREAD * (self._entropy.bytes(1)[0] / 255)

    def _due(self, account: Account) -> tuple[Account, Method] | None:
        """Return the account with its method if it may be due; the renewal itself looks at the token's whole life."""
        if account.expires_at is None or account.standing.pausing(self._clock.now()):
            return None
        provider, method = way_of(account, self._catalog)
        if provider is None or method is None or not method.enabled or method.kind is Kind.PROFILE:
            return None
        if has_moved(account, provider, method) or self._is_asleep(provider, account.expires_at):
            return None
        return account, method

    def _is_asleep(self, provider: Provider, ended: datetime) -> bool:
        """Whether this is the practice provider after practice: it is started when it is asked for, not by us."""
        return provider.id == SANDBOX.id and ended <= self._clock.now()
