"""Whether providers are reached from here: which way leads to each, and whether something answers at its end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from doorkey.domain.network import USUAL, Network, Road
from doorkey.domain.provider import LOOPBACK, Kind, Method, Provider, origin
from doorkey.errors import DoorkeyError
from doorkey.flows.steps import Request, Response
from doorkey.ports import Catalog, Clock, Roads, Transport
from doorkey.service.checkup import Finding, fault

Used = Callable[[], Iterable[tuple[str, str]]]
"""Names the providers that accounts and keys are for, each with its method."""

PATIENCE = timedelta(seconds=4)
LARGEST_SKEW = timedelta(seconds=60)
# Named nowhere, so that only what holds for every provider says something of it.
ANYWHERE = "https://provider.invalid"
# It is started when it is asked for, so that nobody answers there is no news.
STARTED_ON_DEMAND = "sandbox"


@dataclass(frozen=True, slots=True)
class Target:
    """An origin to ask; `used` tells that an account or a key depends on it."""

    name: str
    origin: str
    network: Network
    used: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of asking: an answer after some time, or why there was none."""

    target: Target
    road: Road | None
    took: timedelta
    response: Response | None = None
    error: DoorkeyError | None = None


class Reachability:
    """Asks the providers that accounts and keys are for, or every one, for a sign of life; no credential is sent."""

    def __init__(
        self, *, catalog: Catalog, used: Used, transport: Transport, roads: Roads, clock: Clock, every: bool
    ) -> None:
        self._catalog = catalog
        self._used = used
        self._transport = transport
        self._roads = roads
        self._clock = clock
        self._every = every

    def networks(self) -> Iterator[Finding]:
        """Say which proxy and which authorities are in force, and for which providers others are."""
        yield from self._network("", USUAL)
        for provider in self._catalog.all():
            if provider.network != USUAL:
                yield from self._network(f"{provider.id}: ", provider.network)

    def endpoints(self) -> Iterator[Finding]:
        """Ask everywhere side by side, and compare the clock with one that answers."""
        targets = list(self._targets())
        if not targets:
            yield Finding(check="reach", text="no account and no key, so nobody was asked; --all asks every provider")
            return
        with ThreadPoolExecutor(len(targets)) as pool:
            tries = list(pool.map(self._try, targets))
        beyond = [tried for tried in tries if not _is_here(tried.target)]
        if _all_failed_alike(beyond):
            yield _offline(beyond)
            tries = [tried for tried in tries if tried not in beyond]
        yield from map(_told, tries)
        yield self._compared(beyond)

    def _network(self, whose: str, network: Network) -> Iterator[Finding]:
        try:
            road = self._roads.to(ANYWHERE, network)
            yield Finding(check="proxy", text=f"{whose}{road.shown or 'none'} ({road.why})")
        except DoorkeyError as error:
            yield fault("proxy", f"{whose}{error}", error.hint)
        try:
            yield Finding(check="trust", text=f"{whose}{self._roads.trusted(network)}")
        except DoorkeyError as error:
            yield fault("trust", f"{whose}{error}", error.hint)

    def _targets(self) -> Iterable[Target]:
        """Name each origin once, in the order of the providers."""
        found: dict[tuple[str, Network], Target] = {}
        used = set(self._used())
        for provider in self._catalog.all():
            for method in provider.methods:
                depends = (provider.id, method.id) in used
                if not depends and not (self._every and method.enabled):
                    continue
                for name, url in _addresses(provider, method):
                    key = (origin(url), provider.network)
                    known = found.setdefault(key, Target(f"{provider.id} {name}", *key, depends))
                    found[key] = replace(known, used=known.used or depends)
        return found.values()

    def _try(self, target: Target) -> Tried:
        began = self._clock.now()
        road, response, problem = None, None, None
        try:
            road = self._roads.to(target.origin, target.network)
            request = Request(method="HEAD", url=f"{target.origin}/", timeout=PATIENCE, network=target.network)
            response = self._transport.send(request)
        except DoorkeyError as error:
            problem = error
        return Tried(target, road, self._clock.now() - began, response, problem)

    def _compared(self, tries: Iterable[Tried]) -> Finding:
        now = self._clock.now()
        for tried in tries:
            theirs = _date(tried.response) if tried.response else None
            if theirs is None:
                continue
            skew = now - theirs
            host = tried.road.host if tried.road else tried.target.origin
            if abs(skew) <= LARGEST_SKEW:
                return Finding(check="clock", text=f"agrees with {host}")
            way = "ahead of" if skew > timedelta(0) else "behind"
            text = f"this computer is {abs(skew) // timedelta(seconds=1)} s {way} {host}"
            return fault("clock", text, "Set the clock of this computer.")
        return Finding(check="clock", text="compared with nobody: no provider on the network told the time")


def _addresses(provider: Provider, method: Method) -> Iterator[tuple[str, str]]:
    yield "models", provider.api_for(method).base_url
    if method.kind in {Kind.AUTHORIZATION_CODE, Kind.DEVICE_CODE} and (url := method.token_url or method.issuer):
        yield "sign-in", url


def _told(tried: Tried) -> Finding:
    target, road = tried.target, tried.road
    host = target.origin.removeprefix("https://").removesuffix(":443")
    through = f" through {road.shown}" if road and road.shown else ""
    if tried.response is not None:
        took = f"{tried.took.total_seconds():.2f} s"
        return Finding(check="reach", text=f"{target.name}: {host} answers{through} in {took}")
    if target.name.startswith(f"{STARTED_ON_DEMAND} "):
        return Finding(check="reach", text=f"{target.name}: starts when it is asked for")
    if _is_here(target) and not target.used:
        return Finding(check="reach", text=f"{target.name}: not running at {host}")
    return fault("reach", f"{target.name}: {tried.error}", tried.error.hint if tried.error else "")


def _all_failed_alike(tries: Sequence[Tried]) -> bool:
    hints = {tried.error.hint if tried.error else None for tried in tries}
    return len(tries) > 1 and len(hints) == 1 and None not in hints


def _offline(tries: Sequence[Tried]) -> Finding:
    """Say once what is the same for all."""
    first = tries[0]
    seems = "" if first.road is None or first.road.proxy else " This computer seems to be offline."
    text = f"None of {len(tries)} addresses of providers was reached. {first.error}{seems}"
    return fault("reach", text, first.error.hint if first.error else "")


def _is_here(target: Target) -> bool:
    return urlsplit(target.origin).hostname in LOOPBACK


def _date(response: Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
