"""What every answer of a provider says about the account that asked: how it stands, and how much of it is used."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from doorkey.domain.account import Account, Proof, Standing, State
from doorkey.domain.window import Window, fullest
from doorkey.errors import DoorkeyError
from doorkey.flows.steps import Response
from doorkey.ports import Accounts, Readings
from doorkey.providers.refusals import refusal
from doorkey.providers.windows import read_windows
from doorkey.service.accounts import refused
from doorkey.service.resolve import Choice

MODEL_CALL = "model call"
MODEL_LIST = "model list"
USAGE_PAGE = "usage page"

STEP = timedelta(minutes=5)
"""How often a proof moves on: each move is a write of the vault that every program over it notices."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One answer as it came: to what call, whose, and when. The body is kept of refusals only.

    `key` is what readings are kept under, `account` the id of an account in the vault. It is made where an answer
    passes by, and read later, because the call must not wait for that. `fault` is an error from inside an answer.
    """

    key: str
    account: str | None
    at: datetime
    call: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    page: tuple[Window, ...] = ()
    fault: DoorkeyError | None = None

    @classmethod
    def of(cls, choice: Choice, call: str, response: Response, at: datetime) -> "Heard":
        """Take what a call of what was chosen brought."""
        account = choice.account.id if choice.account else None
        body = response.body if response.status >= 400 else b""
        return cls(
            key=key_of(choice),
            account=account,
            at=at,
            call=call,
            status=response.status,
            headers=response.headers,
            body=body,
        )

    @classmethod
    def inside(cls, account: Account, fault: DoorkeyError, at: datetime) -> "Heard":
        """Take what ended an answer that had begun."""
        return cls(key=account.id, account=account.id, at=at, call=MODEL_CALL, fault=fault)

    def with_page(self, windows: tuple[Window, ...]) -> "Heard":
        """Add what the body told of windows."""
        return replace(self, page=windows)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The windows that it tells of."""
        return (*read_windows(self.headers, self.at), *self.page)

    @cached_property
    def error(self) -> DoorkeyError | None:
        """What it refuses, if it does."""
        if self.fault or self.status < 400:
            return self.fault
        return refusal(self.status, self.headers, self.body, now=self.at)


Hear = Callable[[Heard], None]


def deaf(_: Heard) -> None:
    """Let an answer go by."""


def key_of(choice: Choice) -> str:
    """Name what readings are kept under."""
    if choice.account:
        return choice.account.id
    return f"env:{choice.key.name}" if choice.key else f"provider:{choice.provider.id}"


class Hearing:
    """Keeps what answers say, in batches."""

    def __init__(self, *, accounts: Accounts, readings: Callable[[], Readings]) -> None:
        self._accounts = accounts
        self._readings = readings

    def take(self, answers: Sequence[Heard]) -> None:
        """Keep the newest reading of each window, then how each account stands after these answers."""
        told: dict[str, dict[str, Window]] = defaultdict(dict)
        of_account: dict[str, list[Heard]] = defaultdict(list)
        for heard in answers:
            told[heard.key].update({window.name: window for window in heard.windows})
            if heard.account:
                of_account[heard.key].append(heard)
        for key, windows in told.items():
            if windows:
                self._readings().keep(key, list(windows.values()))
        for account, heard_of in of_account.items():
            self._judge(account, heard_of)

    def _judge(self, account_id: str, answers: Sequence[Heard]) -> None:
        known = self._accounts.one(account_id)
        if known is None:
            return
        standing = known.standing
        for heard in answers:
            standing = after(standing, known, heard)
        if standing != known.standing:
            # Where it was renewed meanwhile, the next answer says the same again.
            self._accounts.save_standing(replace(known, standing=standing))


def after(standing: Standing, account: Account, heard: Heard) -> Standing:
    """Say how an account stands after an answer."""
    if heard.error is not None:
        return refused(standing, account, heard.error)
    proof = standing.proof
    moved = proof is None or not timedelta(0) <= heard.at - proof.at < STEP
    standing = replace(standing, proof=Proof(heard.at, heard.call)) if moved else standing
    if _is_alive(standing, account, heard):
        return replace(standing, state=State.READY, reason=None, until=None)
    return standing


def _is_alive(standing: Standing, account: Account, heard: Heard) -> bool:
    """Whether an answer proves a recorded state wrong.

    Only a model's answer, or a reading with something left, shows that a limit is open again. A sign-in that renews
    and is dead may still have a token that works to its end; a key that works is no dead key.
    """
    if standing.state is State.OVER_LIMIT:
        fullest_now = fullest(heard.page)
        has_left = fullest_now is not None and (fullest_now.used_percent or 0) < 100
        return heard.call == MODEL_CALL or has_left
    return standing.state is State.SIGN_IN_NEEDED and not account.renews
