"""The token source itself: an account's tokens, renewed by one caller while the others wait (rule 1)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorkey.domain.account import Held
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Freshness
from doorkey.errors import ProviderUnavailable, RefreshTimedOut, StorageFull, StoreBusy
from doorkey.flows import steps
from doorkey.flows.refresh import LEASE, Lapse, LeaseLost, refuse_hopeless, renew
from doorkey.flows.steps import Flow, Lease

PAUSE = timedelta(milliseconds=50)
SHORTEST_GLANCE = timedelta(milliseconds=2)
LONGEST_GLANCE = timedelta(milliseconds=10)
PATIENCE = LEASE + timedelta(seconds=5)

Key = tuple[str, str | None, timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a caller needs: tokens of this account that last `at_least`, and are not the `rejected` one."""

    account: str
    method: Method
    at_least: timedelta = timedelta(0)
    rejected: Secret | None = None

    @property
    def key(self) -> Key:
        """What callers must have in common to share one renewal."""
        return (self.account, self.rejected.digest() if self.rejected else None, self.at_least)

    def satisfied(self, held: Held, moment: datetime) -> bool:
        """Whether these tokens serve without renewal."""
        tokens = held.tokens
        freshness = tokens.freshness(moment)
        if freshness is Freshness.EXPIRED:
            return False
        if tokens.refresh is None:
            return True
        if self.rejected is not None:
            # Rule 4: somebody has renewed already, or so lately that age can not be the reason.
            return tokens.access != self.rejected or held.account.recently_renewed(tokens, moment)
        freshest = tokens.held_back(moment) or held.account.recently_renewed(tokens, moment)
        return freshness is Freshness.FRESH and (freshest or tokens.lasts(self.at_least, moment))

    def tolerates(self, held: Held, moment: datetime) -> bool:
        """Whether a stale token will do at once, while somebody renews it beside."""
        tokens, standing = held.tokens, held.account.standing
        does = tokens.freshness(moment) is Freshness.STALE and tokens.lasts(self.at_least, moment)
        return does and self.rejected is None and not standing.hopeless_for(self.method.setup)

    def bearable(self, held: Held, moment: datetime) -> bool:
        """Whether these tokens still serve while they can not be renewed."""
        tokens = held.tokens
        return tokens.access != self.rejected and tokens.freshness(moment) is not Freshness.EXPIRED


def valid_tokens(need: Need) -> Flow[Held]:
    """Return tokens that serve the need, renewing them at most once across everybody who shares the vault.

    Raises what `renew` raises, and RefreshTimedOut when another holder does not finish within its lease.
    """
    started = yield from steps.now()
    version = yield from steps.version()
    held = yield from steps.load(need.account)
    while True:
        moment = yield from steps.now()
        if need.satisfied(held, moment):
            return held
        if need.bearable(held, moment) and held.account.standing.pausing(moment):
            return held
        refuse_hopeless(held.account, need.method, moment)
        lease = yield from steps.take_lease(need.account, LEASE)
        if lease is not None:
            renewed = yield from _under(lease, need, held)
            if renewed is not None:
                return renewed
            version = yield from steps.version()
            held = yield from steps.load(need.account)
        elif need.tolerates(held, moment):
            return held
        elif moment - started > PATIENCE:
            raise RefreshTimedOut("Another program is renewing this sign-in and has not finished.")
        elif (changed := (yield from _change(version))) != version:
            version, held = changed, (yield from steps.load(need.account))


def _change(version: int) -> Flow[int]:
    """Wait until the vault is another than this version, looking ever less often; return the version that it has.

    Not for longer than PAUSE, because a holder that dies changes nothing.
    """
    glance, waited = SHORTEST_GLANCE, timedelta(0)
    while (now := (yield from steps.version())) == version and waited < PAUSE:
        yield from steps.sleep(glance)
        waited += glance
        glance = min(glance * 2, LONGEST_GLANCE)
    return now


def _under(lease: Lease, need: Need, held: Held) -> Flow[Held | None]:
    """Renew under the lease and give it back, whatever happens; None when the lease was lost before sending."""
    try:
        yield from steps.detach()
        return (yield from renew(lease, Lapse(method=need.method, done=need.satisfied)))
    except LeaseLost:
        return None
    except ProviderUnavailable:
        moment = yield from steps.now()
        if need.bearable(held, moment):
            return held
        raise
    finally:
        yield from give_back(lease)


def give_back(lease: Lease) -> Flow[None]:
    """Give a lease back; where the store cannot take it just now, it ends by itself."""
    with suppress(StoreBusy, StorageFull):
        yield from steps.release_lease(lease)
