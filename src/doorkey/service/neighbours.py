"""The model servers that run on this machine: looked for when somebody looks, and told by what only they answer."""

import json
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

from doorkey.domain.provider import LOOPBACK, Provider, origin
from doorkey.errors import ServerAway
from doorkey.ports import Catalog, Knock

PATIENCE = timedelta(seconds=0.3)


class Neighbours:
    """Find them, all side by side."""

    def __init__(self, *, catalog: Catalog, knock: Knock) -> None:
        self._catalog = catalog
        self._knock = knock

    def running(self) -> frozenset[str]:
        """Return the ids of the servers that answer as themselves; an open port that is something else is none."""
        return self._among(self._catalog.all())

    def demand(self, provider: Provider) -> None:
        """Make sure that a server that is known by its signature is there; others are taken at their word.

        Raises ServerAway.
        """
        if provider.signature is None or not _is_here(provider) or self._among([provider]):
            return
        place = urlsplit(provider.api.base_url).netloc
        raise ServerAway(
            f"{provider.name} does not answer at {place}.",
            hint=f"{provider.signature.start}; another port goes into config.toml.",
        )

    def _among(self, providers: Iterable[Provider]) -> frozenset[str]:
        known = [provider for provider in providers if provider.signature and _is_here(provider)]
        answers = self._knock(sorted({_page(provider) for provider in known}), PATIENCE) if known else {}
        return frozenset(provider.id for provider in known if _is_own(provider, answers.get(_page(provider))))


def _page(provider: Provider) -> str:
    return urljoin(origin(provider.api.base_url), provider.signature.path if provider.signature else "")


def _is_here(provider: Provider) -> bool:
    """Whether the config leaves it on this machine; nobody else is ever knocked at."""
    parts = urlsplit(provider.api.base_url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def _is_own(provider: Provider, body: bytes | None) -> bool:
    try:
        answer = json.loads(body or b"")
    except (ValueError, RecursionError):
        return False
    return provider.signature is not None and provider.signature.is_own(answer)
