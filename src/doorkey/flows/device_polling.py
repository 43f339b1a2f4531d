"""Ask at the pace that the server wants, until the person has decided on another device (RFC 8628 section 3.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from doorkey.domain.account import Account
from doorkey.domain.attempt import Attempt, Device, Status
from doorkey.errors import DoorkeyError, ProviderUnavailable, SignInFailed, StoreBusy
from doorkey.flows import steps
from doorkey.flows.attempts import USED, end
from doorkey.flows.refresh import DEADLINE
from doorkey.flows.steps import Cancelled, Flow, Lease
from doorkey.flows.valid_tokens import give_back

SLOWER = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nobody has decided yet; `slow_down` wants longer pauses from now on, of `interval` where that was told."""

    slow_down: bool = False
    interval: timedelta | None = None


Ask = Callable[[Attempt], Flow[Waiting | Flow[Account]]]
"""Asks once; what it returns is the rest of a sign-in that was allowed, or that nobody has decided yet."""


def until_decided(attempt: Attempt, device: Device, ask: Ask) -> Flow[Account | None]:
    """Ask until the person has decided, and return the account; None while another program asks already.

    Raises what ended the attempt. Cancelled at any step, the attempt ends as cancelled.
    """
    lease = None
    try:
        lease = yield from steps.take_lease(attempt.id, _span(device.interval))
        return (yield from _asking(lease, attempt, device, ask)) if lease else None
    except Cancelled:
        yield from steps.save_attempt(replace(attempt, status=Status.CANCELLED), was=Status.WAITING)
        raise
    finally:
        if lease:
            yield from give_back(lease)


def _asking(lease: Lease, attempt: Attempt, device: Device, ask: Ask) -> Flow[Account | None]:
    faults, pause = 0, device.interval
    while True:
        moment = yield from steps.now()
        yield from steps.sleep(min(pause, attempt.expires_at - moment))
        if (yield from steps.now()) >= attempt.expires_at:
            return (yield from end(attempt, _too_late(faults)))
        try:
            if not (yield from steps.extend_lease(lease, _span(pause))):
                return None
            # Whoever goes on after us shall know the pace; and what somebody else has ended is not asked about.
            if not (yield from steps.save_attempt(attempt, was=Status.WAITING)):
                raise SignInFailed(USED)
            answer = yield from ask(attempt)
        except Cancelled:
            raise
        except (ProviderUnavailable, StoreBusy) as error:
            faults += 1
            pause = _longer(device.interval, faults, error.retry_after)
            continue
        except DoorkeyError as error:
            return (yield from end(attempt, error))
        if not isinstance(answer, Waiting):
            return (yield from answer)
        faults, device = 0, _at_pace(device, answer)
        attempt, pause = replace(attempt, device=device), device.interval


def _at_pace(device: Device, answer: Waiting) -> Device:
    """Lengthen every later pause: by five seconds, or to what the server says where that is longer."""
    if not answer.slow_down:
        return device
    return replace(device, interval=max(device.interval + SLOWER, answer.interval or SLOWER))


def _longer(interval: timedelta, faults: int, retry_after: float | None) -> timedelta:
    """Double the pause with each fault, as RFC 8628 section 3.5 wants it."""
    doubled = interval * float(2 ** min(faults, 6))
    wished = timedelta(seconds=retry_after or 0)
    return max(interval, min(max(doubled, wished), LONGEST_PAUSE))


def _span(pause: timedelta) -> timedelta:
    """Tell how long the right to ask must last: over a pause and what is sent after it."""
    return pause + DEADLINE * 3


def _too_late(faults: int) -> SignInFailed:
    if faults:
        return SignInFailed("The code has expired, and the provider could not be asked at the end.")
    return SignInFailed("The code has expired before anybody allowed the sign-in.")
