"""Codes on another device: begin such a sign-in, and have the provider asked beside us until it is decided."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

from doorkey.domain.account import Account
from doorkey.domain.attempt import Attempt, Device
from doorkey.domain.provider import DeviceDialect, Kind, Method, Provider
from doorkey.errors import DoorkeyError, Misconfigured, SignInFailed
from doorkey.flows import codex_device, device_code
from doorkey.flows.attempts import Plan
from doorkey.flows.discovery import is_complete
from doorkey.flows.steps import Flow
from doorkey.ports import Runner

Ended = Callable[[Account | None, DoorkeyError | None], None]
"""Hears what came of a sign-in: its account, or why there is none."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How one dialect begins and goes on."""

    begin: Callable[[Plan], Flow[Attempt]]
    poll: Callable[[Plan, Attempt, Device], Flow[Account | None]]


SPEECH: Mapping[DeviceDialect, Speech] = {
    DeviceDialect.RFC8628: Speech(device_code.begin, device_code.poll),
    DeviceDialect.CODEX: Speech(codex_device.begin, codex_device.poll),
}


class DeviceCodes:
    """Begin sign-ins with a code, and ask about each once at a time, whoever looks at it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = Lock()
        self._asking: dict[str, Future[Account | None]] = {}

    def begin(self, plan: Plan) -> Attempt:
        """Have the provider make the two codes."""
        return self._runner.run(SPEECH[plan.method.device_dialect].begin(plan))

    def asks(self, attempt_id: str) -> bool:
        """Whether this program asks about a sign-in just now."""
        asking = self._asking.get(attempt_id)
        return asking is not None and not asking.done()

    def ask(self, plan: Plan, attempt: Attempt, ended: Ended) -> None:
        """Have the provider asked beside us; nothing is begun where this program asks already, or another does."""
        if attempt.device is None:
            return
        with self._lock:
            if self.asks(attempt.id):
                return
            poll = SPEECH[plan.method.device_dialect].poll(plan, attempt, attempt.device)
            asking = self._asking[attempt.id] = self._runner.start(poll)
        asking.add_done_callback(lambda asked: _tell(asked, ended))


def _tell(asked: Future[Account | None], ended: Ended) -> None:
    error = asked.exception()
    if error is None:
        account = asked.result()
        # Without one, another program asks; it is that program's to end.
        return ended(account, None) if account else None
    # A bug of ours: whoever waits for the end must still see one.
    return ended(None, error if isinstance(error, DoorkeyError) else SignInFailed("The sign-in broke off."))


def needs_code(method: Method) -> bool:
    """Whether a code on another device is the only way that this method has."""
    return method.kind is Kind.DEVICE_CODE


def may_have_code(method: Method) -> bool:
    """Whether a method has a code on another device, or its issuer is still to be asked whether it has."""
    told_by_issuer = method.kind is Kind.AUTHORIZATION_CODE and method.issuer is not None and not is_complete(method)
    return needs_code(method) or method.device_url is not None or told_by_issuer


def has_both_ways(method: Method) -> bool:
    """Whether a person may choose between the browser and a code."""
    return method.kind is Kind.AUTHORIZATION_CODE and method.device_url is not None


def require_device_address(provider: Provider, method: Method) -> None:
    """Raise Misconfigured where a method has no device code."""
    if method.device_url is None:
        raise Misconfigured(
            f"{provider.name} {method.id} has no device code.",
            hint="Sign in with --paste instead, for a browser on another computer.",
        )
