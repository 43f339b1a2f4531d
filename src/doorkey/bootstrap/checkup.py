"""What `doorkey doctor` looks at, in the order that it tells."""

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from doorkey.adapters import installation
from doorkey.adapters.catalog import FileCatalog
from doorkey.adapters.http.client import HttpTransport
from doorkey.adapters.http.roads import Roads
from doorkey.adapters.paths import Folders
from doorkey.adapters.system import SystemClock
from doorkey.errors import DoorkeyError
from doorkey.providers import ALL
from doorkey.service import checkup
from doorkey.service.checkup import Check, Checkup, Finding, fault
from doorkey.service.reachability import Reachability

if TYPE_CHECKING:
    from doorkey.bootstrap.house import House

Checks = list[tuple[str, Check]]


def checkup_of(house: "House", environ: Mapping[str, str], *, every: bool) -> Checkup:
    """Put the checks together; `every` asks all providers for a sign of life, not only those that are used."""
    listing, catalog = house.services.listing, house.catalog
    reachability = Reachability(
        catalog=catalog,
        used=lambda: [(entry["provider"], entry["method"]) for entry in listing.accounts()],
        transport=house.transport,
        roads=house.roads,
        clock=house.clock,
        every=every,
    )
    return Checkup(
        [
            *_installed(house.folders, catalog),
            ("key", lambda: checkup.key(house.vault_keys.facts())),
            ("databases", lambda: databases(house, environ)),
            *_surroundings(house.folders, catalog, environ),
            ("network", reachability.networks),
            ("reach", reachability.endpoints),
            ("accounts", lambda: checkup.accounts(listing.accounts())),
        ]
    )


def checkup_when_shut(error: DoorkeyError, environ: Mapping[str, str] | None = None, *, every: bool = False) -> Checkup:
    """Put together what can be looked at while the vault does not open; `error` says why it does not."""
    environ = os.environ if environ is None else environ
    places, clock = Folders.of(environ), SystemClock()
    catalog = FileCatalog(places.config / "config.toml", ALL, clock)
    roads = Roads(environ, places.config, catalog.network)
    transport = HttpTransport(roads)
    reachability = Reachability(catalog=catalog, used=list, transport=transport, roads=roads, clock=clock, every=every)
    asked: Checks = [("reach", reachability.endpoints)] if every else []
    return Checkup(
        [
            *_installed(places, catalog),
            ("vault", lambda: [fault("vault", str(error), error.hint)]),
            *_surroundings(places, catalog, environ),
            ("network", reachability.networks),
            *asked,
        ]
    )


def _installed(places: Folders, catalog: FileCatalog) -> Checks:
    return [
        ("version", installation.versions),
        ("folders", lambda: installation.folders(places)),
        ("config.toml", lambda: checkup.config(catalog)),
    ]


def _surroundings(places: Folders, catalog: FileCatalog, environ: Mapping[str, str]) -> Checks:
    return [
        ("app", lambda: installation.app(places)),
        ("ports", lambda: installation.ports(catalog.all())),
        ("commands", lambda: confinement(environ)),
    ]


def databases(house: "House", environ: Mapping[str, str]) -> Iterator[Finding]:
    """Read from both databases."""
    house.services.book.all()
    chats = len(house.stores.conversations.all())
    kind = installation.kind_of_databases(environ)
    yield Finding(check="databases", text=f"{kind}; both can be read; {chats} chat{'' if chats == 1 else 's'}")


def confinement(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Say whether a command that a chat runs can be kept to its folder."""
    from doorkey.agent.confinement import detect

    found = detect(environ)
    if found.program:
        yield Finding(check="commands", text="those of a chat are kept to its folder by bubblewrap")
    else:
        text = f"those of a chat are not confined: {found.why}"
        yield Finding(check="commands", text=text, fix="Install bubblewrap (Linux); each command still asks first.")
