"""Opening the vault with a passphrase that comes from elsewhere than the terminal: one try at a time, ever slower."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, PassphraseNeeded, Temporary
from doorkey.ports import Clock

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=60)


class Unlocking:
    """Says why the vault does not open, and tries passphrases.

    `check` raises KeyUnreadable where it does not; `attempt` opens it with a passphrase, or raises the same; `opened`
    is called when one was right.
    """

    def __init__(
        self, *, check: Callable[[], None], attempt: Callable[[Secret], None], clock: Clock, opened: Callable[[], None]
    ) -> None:
        self._check = check
        self._attempt = attempt
        self._clock = clock
        self._opened = opened
        self._trying = Lock()
        self._next_wait = FIRST_WAIT
        self._until: datetime | None = None

    def problem(self) -> KeyUnreadable | None:
        """Say why the vault does not open, None where it does; PassphraseNeeded asks the person for it."""
        try:
            self._check()
        except KeyUnreadable as problem:
            return problem
        return None

    def unlock(self, passphrase: Secret) -> None:
        """Open the vault for as long as this program runs.

        Raises KeyUnreadable for a wrong one, and Temporary for one that comes too early after that: it is not tried.
        """
        if not self._trying.acquire(blocking=False):
            raise Temporary("A passphrase is being tried already.", retry_after=FIRST_WAIT.total_seconds())
        try:
            problem = self.problem()
            if isinstance(problem, PassphraseNeeded):
                self._try(passphrase)
            elif problem is not None:
                raise problem
        finally:
            self._trying.release()

    @property
    def wait(self) -> timedelta:
        """How long the next try has to wait."""
        left = self._until - self._clock.now() if self._until else timedelta(0)
        # A clock that was set back must not lock anybody out.
        return left if timedelta(0) < left <= LONGEST_WAIT else timedelta(0)

    def _try(self, passphrase: Secret) -> None:
        if self.wait:
            raise Temporary(
                "That was too early after a wrong passphrase, so it was not tried.",
                retry_after=self.wait.total_seconds(),
            )
        try:
            self._attempt(passphrase)
        except KeyUnreadable:
            self._until = self._clock.now() + self._next_wait
            self._next_wait = min(2 * self._next_wait, LONGEST_WAIT)
            raise
        self._next_wait, self._until = FIRST_WAIT, None
        self._opened()
