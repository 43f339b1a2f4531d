"""Waiting for a sign-in's end: the browser at our port or a pasted line, whichever comes first."""

from collections.abc import Callable
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TextIO

from doorkey.cli import failures
from doorkey.cli.io import Io
from doorkey.domain.account import Account
from doorkey.errors import DoorkeyError, ReplyRejected, SignInFailed
from doorkey.ports import Clock
from doorkey.service.sign_in import SignIn, SignIns


class Signal(Enum):
    """What can happen besides a pasted line."""

    OVER = "the sign-in has ended"
    CLOSED = "nothing more can be pasted"


def await_account(sign_in: SignIn, sign_ins: SignIns, io: Io, clock: Clock, *, only_paste: bool) -> Account:
    """Return the account that signed in; a reply that does not belong here is told about and forgotten.

    The end of stdin ends the sign-in only where nothing listens. Raises what ended the attempt.
    """
    inbox: SimpleQueue[str | Signal] = SimpleQueue()
    _beside(lambda: inbox.put(Signal.OVER) if sign_in.over.wait() else None)
    _beside(lambda: _read_lines(io.stdin, inbox))
    while not sign_in.over.is_set():
        left = (sign_in.expires_at - clock.now()).total_seconds()
        try:
            message = inbox.get(timeout=max(left, 0))
        except Empty:
            sign_ins.find(sign_in.id)  # Looking at an attempt whose time is over ends it.
            continue
        if message is Signal.CLOSED and (only_paste or sign_in.listener is None):
            raise SignInFailed("No reply was pasted.", hint="Start again, and paste the address after approving.")
        if isinstance(message, str) and message.strip():
            _try(message, sign_in, sign_ins, io)
    if sign_in.account is None:
        raise sign_in.failure or SignInFailed("The sign-in was cancelled.")
    return sign_in.account


def _try(pasted: str, sign_in: SignIn, sign_ins: SignIns, io: Io) -> None:
    """Hand in a pasted reply. What ends the attempt is found in it afterwards, whoever handed it in first."""
    try:
        sign_ins.reply(sign_in.id, pasted)
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
