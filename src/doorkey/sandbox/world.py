"""What all endpoints share: the address, the clock, and everything that is remembered."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from doorkey.sandbox.asked import Asked
from doorkey.sandbox.clients import Client, registered
from doorkey.sandbox.faults import Faults
from doorkey.sandbox.idtoken import Signer
from doorkey.sandbox.log import Log
from doorkey.sandbox.people import Person
from doorkey.sandbox.storage import Ledger
from doorkey.sandbox.usage import Meter


@dataclass(slots=True)
class Pending:
    """A sign-in that a person is in the middle of; the browser holds nothing but its id."""

    asked: Asked
    expires_at: float
    person: Person | None = None


@dataclass(slots=True, kw_only=True)
class DeviceLogin:
    """A device that waits for its person; `reply` is what came of the sign-in."""

    client: Client
    scope: tuple[str, ...]
    user_code: str
    state: str
    verifier: str
    expires_at: float
    interval: float
    next_poll: float = 0.0
    reply: dict[str, str] | None = None


@dataclass(kw_only=True)
class World:
    """One sandbox from the inside. Times are epoch seconds."""

    base_url: str
    clock: Callable[[], float]
    token_lifetime: int
    pace: float
    ledger: Ledger
    faults: Faults = field(default_factory=Faults)
    log: Log = field(default_factory=Log)
    meter: Meter = field(default_factory=Meter)
    pending: dict[str, Pending] = field(default_factory=dict)
    devices: dict[str, DeviceLogin] = field(default_factory=dict)
    signer: Signer = field(init=False)
    _registered: dict[str, Client] = field(init=False)

    def __post_init__(self) -> None:
        self.signer = Signer(self.ledger, self.base_url)
        self._registered = registered(self.base_url)

    def client(self, client_id: str) -> Client | None:
        """Find a client, registered from the start or by itself."""
        return self._registered.get(client_id) or self.ledger.client(client_id)

    def make_key(self) -> str:
        """Make a practice key; this is the only time that it can be read."""
        key = f"sandbox-key-{secrets.token_urlsafe(24)}"
        self.ledger.add_key(key, self.clock())
        return key


def world_of(request: Request) -> World:
    """Find the sandbox that a request arrived at."""
    world: World = request.app.state.world
    return world
