"""The source of a sign-in that a vendor's own tool keeps: read from its file, renewed by its SDK under our lease."""

from datetime import datetime, timedelta

from doorkey.domain.account import Account
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Freshness, Tokens
from doorkey.errors import RefreshTimedOut
from doorkey.flows.refresh import LEASE
from doorkey.flows.valid_tokens import PATIENCE, PAUSE
from doorkey.ports import Clock, Leases, Profiles


class ProfileSource:
    """Fill the role of `TokenSource` for an account whose tokens are not ours to keep."""

    def __init__(self, account: Account, *, profiles: Profiles, leases: Leases, clock: Clock) -> None:
        self._account = account
        self._profile = account.identity.subject or ""
        self._profiles = profiles
        self._leases = leases
        self._clock = clock

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return the profile's token, renewed if needed; raises SignInNeeded, ProviderUnavailable, RefreshTimedOut."""
        return self._usable(at_least=at_least).access

    def renew(self, rejected: Secret) -> Secret:
        """Return another token than the one that was just refused."""
        return self._usable(rejected=rejected).access

    def _usable(self, *, at_least: timedelta = timedelta(0), rejected: Secret | None = None) -> Tokens:
        def serves(tokens: Tokens, moment: datetime) -> bool:
            fresh = tokens.freshness(moment) is not Freshness.EXPIRED and tokens.lasts(at_least, moment)
            return fresh and tokens.access != rejected

        started = self._clock.now()
        while True:
            moment = self._clock.now()
            if serves(tokens := self._profiles.read(self._profile), moment):
                return tokens
            lease = self._leases.take(self._account.id, LEASE)
            if lease is not None:
                try:
                    # Somebody may have renewed it while we waited: another of our programs, or the vendor's tool.
                    again = self._profiles.read(self._profile)
                    return again if serves(again, moment) else self._profiles.renew(self._profile)
                finally:
                    self._leases.release(lease)
            if moment - started > PATIENCE:
                raise RefreshTimedOut("Another program is renewing this sign-in and has not finished.")
            self._clock.sleep(PAUSE)
