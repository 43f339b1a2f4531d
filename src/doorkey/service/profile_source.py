"""The sign-ins that other programs keep: read from their files, renewed by their own SDKs if at all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from doorkey.domain.account import RENEWAL, YOUNG, Account, Proof, State
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Freshness, Tokens
from doorkey.errors import DoorkeyError, RefreshTimedOut, SignInNeeded
from doorkey.flows.refresh import LEASE
from doorkey.flows.valid_tokens import PATIENCE, PAUSE
from doorkey.ports import Accounts, Clock, Leases, Profiles


class ProfileSource:
    """Fill the role of `TokenSource` for an account whose tokens are not ours to keep."""

    def __init__(
        self,
        account: Account,
        owner: Owner,
        *,
        profiles: Profiles,
        accounts: Accounts,
        leases: Leases,
        clock: Clock,
    ) -> None:
        self._account = account
        self._owner = owner
        self._profiles = profiles
        self._accounts = accounts
        self._leases = leases
        self._clock = clock

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return the profile's token, renewed if needed; raises SignInNeeded, ProviderUnavailable, RefreshTimedOut."""
        return self.tokens(at_least).access

    def tokens(self, at_least: timedelta = timedelta(0)) -> Tokens:
        """Return the same with its end."""
        return self._usable(at_least=at_least)

    def renew(self, rejected: Secret) -> Secret:
        """Return another token than the one that was just refused; the same one if it is too young (rule 4).

        Raises SignInNeeded where there is no other.
        """
        return self._usable(rejected=rejected).access

    def _usable(self, *, at_least: timedelta = timedelta(0), rejected: Secret | None = None) -> Tokens:
        def serves(tokens: Tokens, moment: datetime) -> bool:
            fresh = tokens.freshness(moment) is not Freshness.EXPIRED and tokens.lasts(at_least, moment)
            return fresh and tokens.access != rejected

        started = self._clock.now()
        while True:
            moment = self._clock.now()
            if serves(tokens := self._profiles.read(self._account.identity), moment):
                return tokens
            if not self._owner.renews_on_demand:
                # There is no fresher one than this, however long it was asked to last.
                return self._still_good(tokens, moment, rejected)
            lease = self._leases.take(self._account.id, LEASE)
            if lease is not None:
                try:
                    # Somebody may have renewed it while we waited: another of our programs, or the vendor's tool.
                    again = self._profiles.read(self._account.identity)
                    young = rejected is not None and self._just_renewed(moment)
                    return again if young or serves(again, moment) else self._renewed()
                finally:
                    self._leases.release(lease)
            if moment - started > PATIENCE:
                raise RefreshTimedOut("Another program is renewing this sign-in and has not finished.")
            self._clock.sleep(PAUSE)

    def _renewed(self) -> Tokens:
        """Let the owner's SDK renew it, and note that it did, for all who share this vault."""
        tokens = self._profiles.renew(self._account.identity)
        if known := self._accounts.one(self._account.id):
            proof = Proof(self._clock.now(), RENEWAL)
            self._accounts.save_standing(replace(known, standing=replace(known.standing, proof=proof)))
        return tokens

    def _just_renewed(self, moment: datetime) -> bool:
        """Whether a rejection cannot be about age: we renewed it less than 60 s ago."""
        known = self._accounts.one(self._account.id)
        proof = known.standing.proof if known else None
        return proof is not None and proof.call == RENEWAL and abs(moment - proof.at) < YOUNG

    def _still_good(self, tokens: Tokens, moment: datetime, rejected: Secret | None) -> Tokens:
        if tokens.freshness(moment) is Freshness.EXPIRED:
            raise SignInNeeded(has_run_out(self._owner), hint=self._owner.hint)
        if tokens.access == rejected:
            raise SignInNeeded(f"The sign-in that {self._owner.label} keeps is not accepted.", hint=self._owner.hint)
        return tokens


class Borrowed:
    """How the accounts stand whose sign-ins other programs keep: what the vault knows of them is no news."""

    def __init__(self, profiles: Mapping[Owner, Profiles], clock: Clock) -> None:
        self._profiles = profiles
        self._clock = clock

    def seen(self, account: Account) -> Account:
        """Return an account as its owner's file shows it now; every other account as it is."""
        if account.owner is None:
            return account
        try:
            tokens = self._profiles[account.owner].read(account.identity)
        except DoorkeyError as error:
            return _ended(account, f"{error} {error.hint}")
        ends, owner = tokens.expires_at, account.owner
        account = replace(account, expires_at=ends, renews=True)
        if ends is not None and ends <= self._clock.now() and not owner.renews_on_demand:
            return _ended(account, f"{has_run_out(owner)} {owner.hint}")
        return account


def has_run_out(owner: Owner) -> str:
    """Say that a sign-in has ended where its owner keeps it."""
    return f"The sign-in that {owner.label} keeps has run out."


def _ended(account: Account, reason: str) -> Account:
    return replace(account, standing=replace(account.standing, state=State.SIGN_IN_NEEDED, reason=reason))
