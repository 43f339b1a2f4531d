"""Things that go wrong on request, each a counted number of times."""

import threading
from dataclasses import dataclass, replace
from typing import Literal

Family = Literal["token", "model", "revoke"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A fault that can be asked for: its button and what it shows, and where it can happen."""

    title: str
    shows: str
    families: tuple[Family, ...] = ("token", "model")
    breaks_stream: bool = False


KINDS: dict[str, Kind] = {
    "expired_token": Kind(
        title="Expire the access token",
        shows="The next call gets 401 token_expired. A good client renews once and repeats it: you notice nothing.",
        families=("model",),
    ),
    "revoked_grant": Kind(
        title="Revoke the sign-in",
        shows="The next call or renewal finds the sign-in ended. A good client says so and offers to sign in again.",
    ),
    "limit_with_reset": Kind(
        title="Limit reached, with a reset time",
        shows="429 with Retry-After. A good client shows until when, and does not switch who pays.",
    ),
    "limit_without_reset": Kind(
        title="Limit reached, no reset time",
        shows="429 without a time, as a shared plan answers. A good client invents none and links to the usage page.",
    ),
    "unavailable": Kind(
        title="Out of order",
        shows="503. A good client keeps the account and tries again later.",
        families=("token", "model", "revoke"),
    ),
    "slow": Kind(
        title="Slow answer",
        shows="The next answer begins late. A good client stays responsive and can be stopped.",
        families=("token", "model", "revoke"),
    ),
    "cut_stream": Kind(
        title="Cut the stream",
        shows="The answer breaks off after a few words. A good client keeps what came and says that it is incomplete.",
        families=("model",),
        breaks_stream=True,
    ),
    "limit_in_stream": Kind(
        title="Limit reached in the middle of an answer",
        shows="The answer begins, then says that the limit is reached. A good client says so, and not that it broke.",
        families=("model",),
        breaks_stream=True,
    ),
    "reply_lost": Kind(
        title="Lose the token reply",
        shows="New tokens are made, then the connection closes before they arrive. The old ones are spent: "
        "a good client keeps the account and asks for a sign-in only once the server says so.",
        families=("token",),
    ),
    "garbage": Kind(
        title="Garbage instead of JSON",
        shows="200 with an HTML page from some proxy. A good client treats it as a passing fault.",
        families=("token", "model", "revoke"),
    ),
    "wrong_date": Kind(
        title="Wrong clock",
        shows="The Date header is an hour off. A good client goes by lifetimes, not by the server's clock.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault that waits: how often, where, and its numbers."""

    kind: str
    times: int
    families: tuple[Family, ...]
    seconds: float | None
    chunks: int

    @property
    def title(self) -> str:
        """Name the fault as its button does."""
        return KINDS[self.kind].title


class Faults:
    """The faults that wait, oldest first; each request meets at most one."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        kind: str,
        *,
        times: int = 1,
        endpoint: Family | None = None,
        seconds: float | None = None,
        chunks: int = 3,
    ) -> None:
        """Ask for a fault; raises ValueError for one that cannot happen.

        `seconds` is the delay of `slow`, the reset of `limit_with_reset` and the skew of `wrong_date`;
        `chunks` is how many pieces `cut_stream` and `limit_in_stream` let through.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}")
        families = KINDS[kind].families
        if times < 1 or chunks < 0 or (endpoint is not None and endpoint not in families):
            raise ValueError(f"{kind} cannot happen so: times={times}, endpoint={endpoint}, chunks={chunks}")
        wanted = families if endpoint is None else (endpoint,)
        with self._lock:
            self._waiting.append(Fault(kind=kind, times=times, families=wanted, seconds=seconds, chunks=chunks))

    def take(self, family: Family, *, answers: bool = True) -> Fault | None:
        """Give the fault that the next request of this family meets, and count it down."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if family in fault.families and (answers or not KINDS[fault.kind].breaks_stream):
                    self._count_down(place)
                    return fault
        return None

    def _count_down(self, place: int) -> None:
        fault = self._waiting.pop(place)
        if fault.times > 1:
            self._waiting.insert(place, replace(fault, times=fault.times - 1))

    def waiting(self) -> tuple[Fault, ...]:
        """List the faults that nobody has met yet."""
        with self._lock:
            return tuple(self._waiting)

    def clear(self) -> None:
        """Forget every fault that waits."""
        with self._lock:
            self._waiting.clear()
