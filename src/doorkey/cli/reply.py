"""Waiting for a sign-in's end: the browser at our port or a pasted line, whichever comes first."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, TextIO

from doorkey.cli import failures
from doorkey.cli.io import Io, printable
from doorkey.domain.account import Account
from doorkey.domain.attempt import OPEN, Status
from doorkey.errors import DoorkeyError, ReplyRejected, SignInFailed
from doorkey.ports import Clock
from doorkey.service.sign_in import SignIn, SignIns


class Signal(Enum):
    """What can happen besides a pasted line."""

    OVER = "the sign-in has ended"
    CLOSED = "nothing more can be pasted"


class Turn(NamedTuple):
    """What a person can do about a sign-in that waits for their word."""

    question: str
    yes: frozenset[str]
    act: Callable[[SignIns, str], Account]


TURNS: Mapping[Status, Turn] = {
    Status.UNANSWERED: Turn("Try again? [Y/n]", frozenset({"", "y", "yes"}), SignIns.try_again),
    Status.SOMEBODY_ELSE: Turn("Keep it as another account? [y/N]", frozenset({"y", "yes"}), SignIns.keep_other),
}


def await_account(sign_in: SignIn, sign_ins: SignIns, io: Io, clock: Clock, *, only_paste: bool) -> Account:
    """Return the account that signed in; a reply that does not belong here is told about and forgotten.

    The end of stdin ends the sign-in only where nothing listens. Raises what ended the attempt; where a person can
    still turn it, they are asked first.
    """
    inbox: SimpleQueue[str | Signal] = SimpleQueue()
    _beside(lambda: inbox.put(Signal.OVER) if sign_in.over.wait() else None)
    _beside(lambda: _read_lines(io.stdin, inbox))
    while not sign_in.over.is_set():
        message = _next(inbox, sign_in, clock)
        if message is None:
            sign_ins.find(sign_in.id)  # Looking at an attempt whose time is over ends it.
        elif message is Signal.CLOSED and (only_paste or sign_in.listener is None):
            raise SignInFailed("No reply was pasted.", hint="Start again, and paste the address after approving.")
        elif isinstance(message, str) and message.strip():
            _try(partial(sign_ins.reply, sign_in.id, message), sign_in, io)
    while sign_in.state in OPEN and _wants_to_go_on(sign_in, inbox, io, clock):
        _try(partial(TURNS[sign_in.state].act, sign_ins, sign_in.id), sign_in, io)
    if sign_in.account is None:
        raise sign_in.failure or SignInFailed("The sign-in was cancelled.")
    return sign_in.account


def _next(inbox: "SimpleQueue[str | Signal]", sign_in: SignIn, clock: Clock) -> str | Signal | None:
    """Wait for what happens next, None where the time of the attempt is over before."""
    left = (sign_in.expires_at - clock.now()).total_seconds()
    try:
        return inbox.get(timeout=max(left, 0))
    except Empty:
        return None


def _wants_to_go_on(sign_in: SignIn, inbox: "SimpleQueue[str | Signal]", io: Io, clock: Clock) -> bool:
    """Ask for a yes among the lines that are read anyway; where nobody sits, nobody is asked."""
    if not io.interactive or sign_in.failure is None:
        return False
    turn = TURNS[sign_in.state]
    io.say(printable(f"{sign_in.failure}\n{turn.question}"))
    while (answer := _next(inbox, sign_in, clock)) is Signal.OVER:
        continue
    return isinstance(answer, str) and answer.strip().lower() in turn.yes


def _try(act: Callable[[], Account], sign_in: SignIn, io: Io) -> None:
    """Go on with a sign-in. What ends the attempt is found in it afterwards, whoever ended it first."""
    try:
        act()
    except ReplyRejected as error:
        failures.explain(io, error)
    except DoorkeyError:
        if not sign_in.over.is_set():
            raise


def _read_lines(stdin: TextIO, inbox: "SimpleQueue[str | Signal]") -> None:
    for line in iter(stdin.readline, ""):
        inbox.put(line)
    inbox.put(Signal.CLOSED)


def _beside(work: Callable[[], None]) -> None:
    # Daemons: neither a browser nor a person is waited for when the command ends.
    Thread(target=work, daemon=True).start()
