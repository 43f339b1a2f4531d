"""Signing in: one attempt with several ways for its reply to arrive, the same in the page and in the terminal."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Lock

from doorkey.domain.account import Account
from doorkey.domain.attempt import OPEN, Attempt, Status
from doorkey.domain.provider import Kind, Method, Provider, is_safe
from doorkey.errors import (
    DoorkeyError,
    Misconfigured,
    PortBusy,
    ProviderUnavailable,
    ReplyRejected,
    SignInFailed,
    UnknownName,
)
from doorkey.flows import admission, authorization_code
from doorkey.flows.attempts import TOO_LATE, Plan, SomebodyElse
from doorkey.flows.discovery import discovered
from doorkey.flows.steps import Flow
from doorkey.ports import (
    Accounts,
    Attempts,
    Choices,
    Clock,
    Listen,
    Listener,
    Outcome,
    Practice,
    Runner,
)
from doorkey.service.device import DeviceCodes, needs_code, require_device_address
from doorkey.service.ways import Ways


@dataclass(slots=True, kw_only=True)
class SignIn:
    """A live attempt: the URL to open, the port that listens, and the end that others wait for."""

    id: str
    url: str
    redirect: str
    expires_at: datetime
    plan: Plan
    attempt: Attempt
    listener: Listener | None
    over: Event = field(default_factory=Event)
    turn: Lock = field(default_factory=Lock)
    state: Status = Status.WAITING
    account: Account | None = None
    failure: DoorkeyError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports that signing in needs."""

    ways: Ways
    accounts: Accounts
    attempts: Attempts
    choices: Choices
    listen: Listen
    runner: Runner
    practice: Practice
    clock: Clock


class SignIns:
    """Start, answer, watch and cancel sign-ins; only ever called for a person (rule 10)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = Lock()
        self._live: dict[str, SignIn] = {}
        self._devices = DeviceCodes(world.runner)

    def start(
        self,
        provider_id: str,
        method_id: str | None = None,
        *,
        account: Account | None = None,
        name: str | None = None,
        paste: bool = False,
        device: bool = False,
    ) -> SignIn:
        """Hold a port, begin an attempt and return it with the URL to open.

        Where no registered port is free the attempt goes on by paste (`listener` None); so it does from the beginning
        with `paste`, where the provider has a page of its own that shows what to paste. With `device`, and where the
        method has no other way, a code is shown instead, to be typed at any browser. Raises UnknownName,
        ConsentNeeded, PolicyRefused, Misconfigured.
        """
        if account and (owner := account.owner):
            raise SignInFailed(f"{account.label} is signed in by {owner.label}, not by Doorkey.", hint=owner.hint)
        provider, method = self._world.ways.find(provider_id, method_id)
        by_code = device or needs_code(method)
        if method.kind is not Kind.AUTHORIZATION_CODE and not by_code:
            raise Misconfigured(f"{provider.name} {method.id} is not signed in through the browser.")
        self._world.practice.ensure(provider)
        method = self._world.runner.run(discovered(method))
        if by_code:
            return self._start_on_device(provider, method, account=account, name=name)
        return self._start_in_browser(provider, method, account=account, name=name, paste=paste)

    def _start_in_browser(
        self, provider: Provider, method: Method, *, account: Account | None, name: str | None, paste: bool
    ) -> SignIn:
        if not (method.authorize_url and is_safe(method.authorize_url)):
            raise Misconfigured(f"{provider.name} {method.id} has no safe authorization address.")
        # The listener must exist before the attempt, whose id it does not know yet: it learns it through this list.
        begun: list[SignIn] = []
        by_hand = paste and method.paste_redirect is not None
        listener = None if by_hand else self._listen(method, begun)
        redirect = listener.redirect if listener else None
        try:
            plan = self._world.ways.plan(provider, method, redirect=redirect, account=account, name=name)
            attempt, url = self._world.runner.run(authorization_code.begin(plan))
        except BaseException:
            if listener:
                listener.close()
            raise
        sign_in = self._live_now(plan, attempt, url, listener)
        begun.append(sign_in)
        return sign_in

    def _start_on_device(
        self, provider: Provider, method: Method, *, account: Account | None, name: str | None
    ) -> SignIn:
        require_device_address(provider, method)
        plan = self._world.ways.plan(provider, method, account=account, name=name)
        attempt = self._devices.begin(plan)
        sign_in = self._live_now(plan, attempt, _url_of(plan, attempt))
        self._ask(sign_in, attempt)
        return sign_in

    def _ask(self, sign_in: SignIn, attempt: Attempt) -> None:
        """Have the provider asked what a person decided on another device, unless somebody asks already."""

        def ended(account: Account | None, failure: DoorkeyError | None) -> None:
            if account is None:
                return self._fail(sign_in, failure)
            try:
                return self._after(account)
            finally:
                self._end(sign_in, Status.SIGNED_IN, account=account)

        self._devices.ask(sign_in.plan, attempt, ended)

    def find(self, sign_in_id: str) -> SignIn:
        """Return a sign-in as it stands, also one that another process began; it then goes on here.

        It goes on by paste, or by asking the provider where nobody does any more. One that is over its time is failed
        first. Raises UnknownName.
        """
        with self._lock:
            sign_in = self._live.get(sign_in_id)
        if sign_in is None:
            sign_in = self._adopt(self._world.attempts.load(sign_in_id))
        if not (sign_in.over.is_set() or sign_in.turn.locked()):
            self._catch_up(sign_in)
        return sign_in

    def reply(self, sign_in_id: str, text: str) -> Account:
        """Take a reply that was pasted or delivered and finish the sign-in.

        Raises ReplyRejected for a foreign one (the attempt goes on), else what ended the attempt.
        """
        sign_in = self.find(sign_in_id)
        # One reply at a time: the same one pasted and delivered must not end the exchange that it began.
        with sign_in.turn:
            if sign_in.over.is_set():
                raise sign_in.failure or SignInFailed("This sign-in is already over.")
            sign_in.state = Status.EXCHANGING
            try:
                return self._finish(sign_in, authorization_code.finish(sign_in.plan, sign_in.attempt, text))
            except ReplyRejected:
                sign_in.state = Status.WAITING
                raise

    def try_again(self, sign_in_id: str) -> Account:
        """Repeat only an exchange that got no answer. Raises as `reply` does."""
        return self._go_on(sign_in_id, Status.UNANSWERED, authorization_code.redeem_again)

    def keep_other(self, sign_in_id: str) -> Account:
        """Keep who signed in instead of the account that was to be reconnected, as an account of their own."""
        return self._go_on(sign_in_id, Status.SOMEBODY_ELSE, admission.keep_arrival)

    def _go_on(self, sign_in_id: str, state: Status, rest: Callable[[Plan, Attempt], Flow[Account]]) -> Account:
        sign_in = self.find(sign_in_id)
        with sign_in.turn:
            if sign_in.state in OPEN:
                self._catch_up(sign_in)
            if sign_in.account:
                return sign_in.account
            if sign_in.state is not state:
                raise sign_in.failure or SignInFailed("There is nothing to go on with in this sign-in.")
            return self._finish(sign_in, rest(sign_in.plan, self._world.attempts.load(sign_in.id)))

    def _finish(self, sign_in: SignIn, flow: Flow[Account]) -> Account:
        try:
            account = self._world.runner.run(flow)
        except ReplyRejected:
            raise
        except DoorkeyError as error:
            self._fail(sign_in, error)
            raise
        except Exception:
            # A bug of ours: whoever waits for the end must still see one.
            self._end(sign_in, Status.FAILED, failure=SignInFailed("The sign-in broke off."))
            raise
        self._after(account)
        self._end(sign_in, Status.SIGNED_IN, account=account)
        return account

    def cancel(self, sign_in_id: str) -> None:
        """End a sign-in and free its port; one that is over, or whose exchange has begun, keeps its own end."""
        self._cancel(self.find(sign_in_id), "The sign-in was cancelled.")

    def _cancel(self, sign_in: SignIn, why: str) -> None:
        with sign_in.turn:
            cancelled = sign_in.state in OPEN | {Status.WAITING} and self._world.attempts.save(
                replace(sign_in.attempt, status=Status.CANCELLED), was=sign_in.state
            )
            if sign_in.attempt.device and not cancelled:
                return  # Its tokens have just come, and whoever asked for them keeps them.
            self._end(sign_in, Status.CANCELLED, failure=SignInFailed(why))

    def close(self) -> None:
        """Free every port."""
        with self._lock:
            live = list(self._live.values())
        for sign_in in live:
            if sign_in.listener:
                sign_in.listener.close()

    def _adopt(self, attempt: Attempt) -> SignIn:
        """Make a stored attempt of another process live here, with no port of its own."""
        provider, method = self._world.ways.find(attempt.provider, attempt.method)
        method = self._world.runner.run(discovered(method))
        account = self._world.accounts.one(attempt.account) if attempt.account else None
        plan = self._world.ways.plan(provider, method, redirect=attempt.redirect, account=account, name=attempt.name)
        return self._live_now(plan, attempt, _url_of(plan, attempt))

    def _live_now(self, plan: Plan, attempt: Attempt, url: str, listener: Listener | None = None) -> SignIn:
        """Make an attempt live here, unless it is; without a listener it waits for no browser at a port of ours."""
        sign_in = SignIn(
            id=attempt.id,
            url=url,
            redirect=attempt.redirect,
            expires_at=attempt.expires_at,
            plan=plan,
            attempt=attempt,
            listener=listener,
        )
        with self._lock:
            return self._live.setdefault(sign_in.id, sign_in)

    def _catch_up(self, sign_in: SignIn) -> None:
        """Take over what another process has made of an attempt since; where none did, look at the time."""
        stored = sign_in.attempt
        with suppress(UnknownName):  # Swept: its time is over.
            stored = self._world.attempts.load(sign_in.id)
        if stored.status is Status.SIGNED_IN:
            account = self._world.accounts.one(stored.account) if stored.account else None
            return self._end(sign_in, Status.SIGNED_IN, account=account)
        if stored.status in {Status.FAILED, Status.CANCELLED}:
            what = "was cancelled" if stored.status is Status.CANCELLED else "did not succeed"
            failure = SignInFailed(f"The sign-in {what}.", hint=stored.hint)
            return self._end(sign_in, stored.status, failure=failure)
        if stored.status in OPEN:
            return self._end(sign_in, stored.status, failure=_why_open(sign_in, stored))
        sign_in.state = stored.status
        if self._devices.asks(sign_in.id):
            return None
        if self._world.clock.now() < sign_in.expires_at:
            if stored.status is Status.WAITING:
                self._ask(sign_in, stored)
        else:
            self._end(sign_in, Status.FAILED, failure=SignInFailed(TOO_LATE))
        return None

    def _listen(self, method: Method, begun: list[SignIn]) -> Listener | None:
        def leave() -> None:
            for sign_in in begun:
                self._cancel(sign_in, "Another sign-in has taken its port over.")

        back = self._world.ways.way_back(method)
        try:
            return self._world.listen(back, method.fallback_ports, lambda url: self._deliver(begun, url), leave)
        except PortBusy:
            return None

    def _deliver(self, begun: list[SignIn], url: str) -> Outcome:
        """Answer the browser that came back to our port."""
        if not begun:
            return Outcome(ok=False, title="Not yet", text="The sign-in is just starting.", finished=False)
        try:
            account = self.reply(begun[0].id, url)
        except ReplyRejected as error:
            return Outcome(ok=False, title="Not this sign-in", text=f"{error} {error.hint}", finished=False)
        except DoorkeyError as error:
            return Outcome(ok=False, title="Not signed in", text=f"{error} {error.hint}", finished=True)
        return Outcome(
            ok=True,
            title=f"Signed in as {account.label}",
            text="You can close this tab and return to Doorkey.",
            finished=True,
        )

    def _after(self, account: Account) -> None:
        self._world.choices.set(f"served:{account.provider}", account.id)

    def _fail(self, sign_in: SignIn, error: DoorkeyError | None) -> None:
        """End a sign-in as its flow has left it: failed, or waiting for a person's word."""
        left = Status.FAILED
        with suppress(DoorkeyError):
            left = self._world.attempts.load(sign_in.id).status
        self._end(sign_in, left if left in OPEN else Status.FAILED, failure=error)

    def _end(
        self, sign_in: SignIn, state: Status, *, account: Account | None = None, failure: DoorkeyError | None = None
    ) -> None:
        with self._lock:
            if sign_in.over.is_set() and sign_in.state not in OPEN:
                return
            sign_in.state, sign_in.account, sign_in.failure = state, account, failure
            sign_in.over.set()
        if sign_in.listener:
            sign_in.listener.close()


def _why_open(sign_in: SignIn, stored: Attempt) -> DoorkeyError:
    """Say again why an attempt waits for a person's word."""
    if stored.arrived and sign_in.plan.account:
        return SomebodyElse(sign_in.plan.account, stored.arrived)
    return ProviderUnavailable("The provider did not answer.", hint=stored.hint)


def _url_of(plan: Plan, attempt: Attempt) -> str:
    """Say where a person goes on with an attempt that has no port here."""
    device = attempt.device
    url = device.verification_uri_complete or device.verification_uri if device else None
    return url or authorization_code.authorize_url(plan, attempt)
