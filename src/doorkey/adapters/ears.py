"""What hears the answers of providers: each is kept in its turn, and no call waits for that."""

from collections.abc import Callable

from doorkey.adapters.batch import Batch
from doorkey.domain.account import Account
from doorkey.errors import DoorkeyError
from doorkey.ports import Accounts, Clock, Readings
from doorkey.service.hearing import Heard, Hearing


class Ears:
    """A hearing behind a batch; `readings` opens the store when there is something to keep."""

    def __init__(self, accounts: Accounts, readings: Callable[[], Readings], clock: Clock) -> None:
        self.hearing = Hearing(accounts=accounts, readings=readings)
        self._clock = clock
        self._batch = Batch("readings", self.hearing.take)

    def hear(self, heard: Heard) -> None:
        """Let an answer be kept soon."""
        self._batch.add(heard)

    def note(self, account: Account, error: DoorkeyError) -> None:
        """Keep what ended an answer, behind what its first bytes said; whoever waits for the end looks at once."""
        self._batch.add(Heard.inside(account, error, self._clock.now()))
        self.settle()

    def settle(self) -> None:
        """Keep what was heard up to now."""
        self._batch.flush()

    def close(self) -> None:
        """Keep what was heard, for the last time; safe to call twice."""
        self._batch.close()
