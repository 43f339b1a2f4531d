"""What we need from the world outside: time, chance, the network, the browser, and the person's own files."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol

from doorkey.domain.account import Identity
from doorkey.domain.finding import Finding
from doorkey.domain.network import Network, Road
from doorkey.domain.provider import Provider
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.flows.steps import Flow, Request, Response, Result


class Clock(Protocol):
    """The time (UTC), and waiting."""

    def now(self) -> datetime: ...
    def sleep(self, span: timedelta) -> None: ...


class Entropy(Protocol):
    """Chance that nobody can guess."""

    def bytes(self, size: int) -> bytes: ...


class Transport(Protocol):
    """One HTTP exchange with a provider's OAuth endpoints; raises ProviderUnavailable when there is no answer.

    `Request.timeout` is a total deadline; redirects are not followed.
    """

    def send(self, request: Request) -> Response: ...


class Knock(Protocol):
    """Asks pages of this machine side by side, without a credential, and returns the answers that came in time."""

    def __call__(self, urls: Sequence[str], within: timedelta) -> Mapping[str, bytes]: ...


class Roads(Protocol):
    """Chooses the way to an address by config and environment; raises ProviderUnavailable for what cannot be used."""

    def to(self, url: str, network: Network) -> Road: ...
    def trusted(self, network: Network) -> str:
        """Say who vouches for certificates."""
        ...


class Signatures(Protocol):
    """Checks an ID token's signature against a JWKS; raises SignInFailed."""

    def claims(self, token: Secret, jwks: bytes) -> Mapping[str, Any]: ...


class FoundKey(NamedTuple):
    """A key that lies outside the vault; `where` is `environment` or the path of a `.env` file."""

    name: str
    secret: Secret
    where: str


class Surroundings(Protocol):
    """Known key names in the environment and in `.env` files; nothing else is ever read there (rule 5)."""

    def find(self, names: Sequence[str]) -> FoundKey | None: ...


class Catalog(Protocol):
    """The providers as built in and merged with the config; read anew when the file changed."""

    def all(self) -> Sequence[Provider]: ...
    def provider(self, provider: str) -> Provider:
        """Raise UnknownName."""
        ...

    def problems(self) -> Sequence[str]:
        """Mistakes in the config, each with its line and key."""
        ...

    def env_files(self) -> Sequence[PurePath]:
        """The `.env` files that the config names: trusted without asking."""
        ...


class Outcome(NamedTuple):
    """What became of a reply: shown on the page that the browser lands on; `finished` frees the port."""

    ok: bool
    title: str
    text: str
    finished: bool


class Browser(Protocol):
    """Opens a page for the person; says whether it could."""

    def open(self, url: str) -> bool: ...


class Listener(Protocol):
    """A loopback port that waits for one callback."""

    redirect: str
    """The redirect URI with the port that is really held."""

    def close(self) -> None:
        """Free the port; safe to call twice."""
        ...


class Listen(Protocol):
    """Opens a listener on the redirect's port, else on a fallback port; raises PortBusy when none is free.

    `leave` is called when another sign-in of this vault wants the port.
    """

    def __call__(
        self,
        redirect: str,
        fallback_ports: Sequence[int],
        deliver: Callable[[str], Outcome],
        leave: Callable[[], None],
    ) -> Listener: ...


class Runner(Protocol):
    """Answers the steps of a flow until it ends; `start` does it beside the caller, which may stop waiting."""

    def run(self, flow: Flow[Result]) -> Result: ...
    def start(self, flow: Flow[Result]) -> Future[Result]: ...


class AsyncRunner(Protocol):
    """The same for asyncio; a caller that is cancelled stops waiting."""

    async def run(self, flow: Flow[Result]) -> Result: ...


class Profiles(Protocol):
    """The sign-in that another program keeps; raises SignInNeeded where there is none, or it is somebody else's now."""

    def active(self) -> Identity: ...
    def read(self, who: Identity) -> Tokens: ...
    def renew(self, who: Identity) -> Tokens:
        """Let the vendor's SDK renew and write it where it can; raise ProviderUnavailable when that may work later."""
        ...


class Finds(Protocol):
    """A place where another program keeps keys or a sign-in; it is only ever read."""

    place: str
    """The file that is looked at."""

    def look(self) -> Sequence[Finding]:
        """Return what is there, nothing where there is no file; raise ImportRejected."""
        ...


class Practice(Protocol):
    """Starts the practice provider when something asks for it; does nothing for other providers."""

    def ensure(self, provider: Provider) -> None: ...


class Passphrases(Protocol):
    """Asks the person for the vault's passphrase; raises PassphraseNeeded where nobody can be asked."""

    def ask(self) -> Secret: ...
    def choose(self) -> Secret:
        """Ask for a new one, so that a slip of the finger is noticed."""
        ...
