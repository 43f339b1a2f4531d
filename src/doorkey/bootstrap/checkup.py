"""What `doorkey doctor` looks at, in the order that it tells."""

from collections.abc import Iterator, Mapping

from doorkey.adapters import installation
from doorkey.bootstrap.house import House
from doorkey.service import checkup
from doorkey.service.checkup import Checkup, Finding
from doorkey.service.reachability import Reachability


def checkup_of(house: House, environ: Mapping[str, str], *, every: bool) -> Checkup:
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
            ("version", installation.versions),
            ("folders", lambda: installation.folders(house.folders)),
            ("config.toml", lambda: checkup.config(catalog)),
            ("key", lambda: checkup.key(house.vault_keys.facts())),
            ("databases", lambda: databases(house, environ)),
            ("app", lambda: installation.app(house.folders)),
            ("ports", lambda: installation.ports(catalog.all())),
            ("commands", lambda: confinement(environ)),
            ("network", reachability.networks),
            ("reach", reachability.endpoints),
            ("accounts", lambda: checkup.accounts(listing.accounts())),
        ]
    )


def databases(house: House, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Read from both databases."""
    house.services.book.all()
    chats = len(house.stores.conversations.all())
    kind = installation.kind_of_databases(environ)
    yield Finding(check="databases", text=f"{kind}; both can be read; {chats} chats")


def confinement(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Say whether a command that a chat runs can be kept to its folder."""
    from doorkey.agent.confinement import detect

    found = detect(environ)
    if found.program:
        yield Finding(check="commands", text="those of a chat are kept to its folder by bubblewrap")
    else:
        text = f"those of a chat are not confined: {found.why}"
        yield Finding(check="commands", text=text, fix="Install bubblewrap (Linux); each command still asks first.")
