"""What a grant gave us, and how long it is good for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from doorkey.domain.secret import Secret

LONGEST_MARGIN = timedelta(seconds=300)
SHORTEST_MARGIN = timedelta(seconds=60)
CLOCK_TOLERANCE = timedelta(seconds=60)


class Freshness(Enum):
    """FRESH serves; STALE still serves while somebody renews it; EXPIRED does not serve."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """An access token with what renews it; an API key is one that never expires and has no refresh token.

    Times are aware and in UTC. `expires_at` None means that the provider named no end.
    """

    access: Secret
    issued_at: datetime
    refresh: Secret | None = None
    expires_at: datetime | None = None
    earliest_refresh_at: datetime | None = None
    scope: str | None = None
    id_token: Secret | None = None

    @property
    def margin(self) -> timedelta:
        """How long before its end a token is renewed: a tenth of its life, from 60 to 300 s where the life allows."""
        if self.expires_at is None:
            return timedelta(0)
        life = self.expires_at - self.issued_at
        return min(max(min(LONGEST_MARGIN, life / 10), SHORTEST_MARGIN), life / 2)

    @property
    def stale_at(self) -> datetime | None:
        """When renewal becomes due; never before the provider's `earliest_refresh_at` while the token lives."""
        if self.expires_at is None:
            return None
        due = self.expires_at - self.margin
        if self.earliest_refresh_at is None:
            return due
        return max(due, min(self.earliest_refresh_at, self.expires_at))

    def freshness(self, now: datetime) -> Freshness:
        """Say whether the access token serves at `now`."""
        if self.expires_at is None or self.stale_at is None:
            return Freshness.FRESH
        if now >= self.expires_at:
            return Freshness.EXPIRED
        # Before it was issued: the clock was set back since, so how long the token still lives cannot be told.
        untold = now < self.issued_at - CLOCK_TOLERANCE
        return Freshness.STALE if untold or now >= self.stale_at else Freshness.FRESH

    def held_back(self, now: datetime) -> bool:
        """Say whether the provider does not want to renew yet."""
        return self.earliest_refresh_at is not None and now < self.earliest_refresh_at

    def lasts(self, span: timedelta, now: datetime) -> bool:
        """Say whether the access token is still good `span` from now."""
        return self.expires_at is None or now + span <= self.expires_at
