"""Drive flows by hand: a world in memory whose clock stands still, and callers that take one step at a time."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import Any, Generic

from doorkey.adapters.runtime.answers import Ports, answers
from doorkey.adapters.store.stores import Vault
from doorkey.domain.account import Account, Held
from doorkey.domain.attempt import Status
from doorkey.domain.network import Network
from doorkey.domain.provider import Kind, Method
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError
from doorkey.flows.steps import Cancelled, Detach, Flow, Lease, Now, Random, Request, Response, Result, Step
from doorkey.ports import Leases
from doorkey.testing.clock import FakeClock
from doorkey.testing.memory import memory_vault
from doorkey.testing.values import held, some_tokens

ISSUER = "https://issuer.example"

METHOD = Method(
    id="oauth",
    kind=Kind.AUTHORIZATION_CODE,
    name="Acme",
    client_id="client-1",
    issuer=ISSUER,
    authorize_url=f"{ISSUER}/authorize",
    token_url=f"{ISSUER}/token",
    revoke_url=f"{ISSUER}/revoke",
    scopes=("offline_access",),
)

# Steps that nobody else can notice: a caller takes them together with the step before.
PRIVATE = (Now, Random, Detach)


def answer(status: int = 200, body: Mapping[str, object] | bytes | None = None, **headers: str) -> Response:
    """Make an HTTP answer; `retry_after="5"` is the header Retry-After."""
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=content
    )


@dataclass(slots=True)
class Endpoints:
    """Fill `ports.Transport`: an authorization server that rotates strictly, for one grant.

    The grant begins with `refresh-one`; a spent refresh token ends it (RFC 9700 section 4.14.2). What lies in
    `scripted` is answered first: a response, an error to raise, or a function to call with the request.
    """

    live: str | None = "refresh-one"
    refreshes: int = 0
    extra: dict[str, object] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    scripted: list[Response | Exception | Callable[[Request], Response]] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        if self.scripted:
            return _played(self.scripted.pop(0), request)
        fields = request.form or request.json or {}
        if fields.get("grant_type") == "refresh_token":
            return self._rotate(_text(fields["refresh_token"]))
        if fields.get("grant_type") == "authorization_code":
            return self._issue("signed-in")
        return answer()

    def warm(self, url: str, network: Network) -> None:
        """Get nothing ready: every answer is here already."""

    def _rotate(self, presented: str) -> Response:
        self.refreshes += 1
        if presented != self.live:
            self.live = None
            return answer(400, {"error": "invalid_grant"})
        return self._issue(f"renewed-{self.refreshes}")

    def _issue(self, word: str) -> Response:
        self.live = f"refresh-{word}"
        body = {"access_token": f"access-{word}", "refresh_token": self.live, "expires_in": 3600}
        return answer(200, body | self.extra)


def _played(scripted: Response | Exception | Callable[[Request], Response], request: Request) -> Response:
    if isinstance(scripted, Exception):
        raise scripted
    return scripted if isinstance(scripted, Response) else scripted(request)


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


@dataclass(slots=True)
class FakeSignatures:
    """Fill `ports.Signatures`: every token is signed, and claims what `proven` holds."""

    proven: dict[str, Any] = field(default_factory=dict)

    def claims(self, token: Secret, jwks: bytes) -> Mapping[str, Any]:
        return self.proven


@dataclass(slots=True)
class CountedEntropy:
    """Fill `ports.Entropy`: every answer is another one, and none is chance."""

    given: int = 0

    def bytes(self, size: int) -> bytes:
        self.given += 1
        return self.given.to_bytes(size, "big")


class LaxLeases:
    """Fill `ports.Leases` and keep nobody out: what happens without a lease."""

    def take(self, account: str, span: timedelta) -> Lease | None:
        return Lease(account, "anybody")

    def owns(self, lease: Lease, span: timedelta) -> bool:
        return True

    def extend(self, lease: Lease, span: timedelta) -> bool:
        return True

    def release(self, lease: Lease) -> None:
        """Leave everything as it is."""


class World:
    """A vault in memory, a strict authorization server and a clock that a test moves.

    `failing` holds errors for kinds of steps: each step of that kind takes one and has no effect, until none is left.
    Another vault, clock or server may stand in, and be shared: each program of a person's is then a world of its own.
    """

    def __init__(
        self,
        *,
        leases: Leases | None = None,
        vault: Vault | None = None,
        clock: FakeClock | None = None,
        endpoints: Endpoints | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.vault = vault or memory_vault(self.clock)
        self.endpoints = endpoints or Endpoints()
        self.signatures = FakeSignatures()
        self.failing: dict[type[Step], list[Exception]] = {}
        self.ports = Ports(
            accounts=self.vault.accounts,
            leases=leases or self.vault.leases,
            attempts=self.vault.attempts,
            choices=self.vault.choices,
            transport=self.endpoints,
            signatures=self.signatures,
            clock=self.clock,
            entropy=CountedEntropy(),
        )
        self._answers = answers(self.ports)

    def answer(self, step: Step) -> Any:
        """Answer a step, or raise what lies ready for it."""
        if failing := self.failing.get(type(step)):
            raise failing.pop(0)
        return None if isinstance(step, Detach) else self._answers[type(step)](step)

    def keep(self, **changes: Any) -> Account:
        """Keep an account with its first pair of tokens; `changes` are the account's, or `tokens`."""
        kept = held(changes.pop("tokens", some_tokens()), **changes)
        self.ports.accounts.save(kept, read=None)
        return kept.account

    def stands(self, account: str) -> Held:
        """Tell what the vault holds of an account."""
        return self.ports.accounts.load(account)

    def status(self, attempt: str) -> Status:
        """Tell where a sign-in is."""
        return self.ports.attempts.load(attempt).status

    def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end."""
        return Caller(self, flow).finish()


class _Killed(BaseException):
    """Ends a flow from within; not for it to judge."""


class Caller(Generic[Result]):
    """Somebody who runs a flow; `step` is what the flow waits for, None at its end."""

    def __init__(self, world: World, flow: Flow[Result]) -> None:
        self.step: Step | None = None
        self.taken: list[Step] = []
        self.detached = False
        self.error: Exception | None = None
        self._result: list[Result] = []
        self._world = world
        self._flow = flow
        self._move(lambda: next(flow))

    def take(self) -> None:
        """Take the step that the flow waits for; what goes wrong enters the flow. Does nothing at the end."""
        if (step := self.step) is None:
            return
        self.taken.append(step)
        self.detached = self.detached or isinstance(step, Detach)
        try:
            reply = self._world.answer(step)
        except Exception as error:  # noqa: BLE001 - it is the flow's to judge
            raised = error
            self._move(lambda: self._flow.throw(raised))
        else:
            self._move(lambda: self._flow.send(reply))

    def advance(self) -> None:
        """Take one step that others can notice, and the private ones around it."""
        while isinstance(self.step, PRIVATE):
            self.take()
        self.take()
        while isinstance(self.step, PRIVATE):
            self.take()

    def reach(self, kind: type[Step]) -> None:
        """Go on until the flow waits for a step of this kind; fails when it ends before."""
        while not isinstance(self.step, kind):
            assert self.step is not None, f"the flow ended without {kind.__name__}"
            self.take()

    def cancel(self) -> None:
        """Give up as the runtimes do: Cancelled enters, unless the flow is detached; the rest is answered."""
        if self.step is not None and not self.detached and not isinstance(self.step, Detach):
            self._move(lambda: self._flow.throw(Cancelled("The caller gave up.")))
        while self.step is not None:
            self.take()

    def die(self) -> None:
        """End as a killed process does: nothing that the flow still asks for has an effect."""
        with suppress(_Killed):
            while self.step is not None:
                self.step = self._flow.throw(_Killed)
        self.step = None

    def finish(self) -> Result:
        """Go on to the end, and return the result or raise the error."""
        while self.step is not None:
            self.take()
        return self.result

    @property
    def result(self) -> Result:
        """What the flow returned; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self._result[0]

    def _move(self, go_on: Callable[[], Step]) -> None:
        try:
            self.step = go_on()
        except StopIteration as end:
            self.step = None
            self._result.append(end.value)
        except Exception as error:  # noqa: BLE001 - the test asks for it
            self.step, self.error = None, error


def interleave(callers: Sequence[Caller[Any]], turns: Iterable[int]) -> None:
    """Let callers take their turns in this order, then one after the other in rounds until all have ended."""
    for turn in turns:
        callers[turn].advance()
    for caller in cycle(callers):
        if all(each.step is None for each in callers):
            return
        caller.advance()


def outcome(caller: Caller[Any]) -> object:
    """Go on to the end and tell it: the result, or the code of the error."""
    try:
        return caller.finish()
    except DoorkeyError as error:
        return error.code
