"""HTTP clients for model calls, each bound to one account: what SDKs are given in place of a key."""

from collections.abc import Callable
from typing import Any

import httpx2

from doorkey.adapters.http.auth import AccountAuth, AsyncAccountAuth, AsyncSource
from doorkey.adapters.http.client import user_agent
from doorkey.adapters.http.explained import AsyncExplained, Explained
from doorkey.adapters.http.roads import Roads
from doorkey.domain.network import Road
from doorkey.service.async_source import AsyncTokenSource
from doorkey.service.hearing import Hear, deaf
from doorkey.service.resolve import Choice
from doorkey.service.sources import Sources
from doorkey.service.token_source import Source

# Streams may pause while a model thinks; connecting may not.
TIMEOUT = httpx2.Timeout(600.0, connect=10.0)


class Clients:
    """Make clients whose every request is fitted to what was chosen."""

    def __init__(self, sources: Sources, roads: Roads, hear: Hear = deaf) -> None:
        self._sources = sources
        self._hear = hear
        self._roads = roads

    def client(self, choice: Choice, wrap: Callable[[Source], Source] | None = None) -> httpx2.Client:
        """Return a sync client; `wrap` decorates the source of its credential."""
        source = self._sources.for_calls(choice)
        auth = AccountAuth(choice, wrap(source) if wrap else source, self._hear)
        road = self._road(choice)
        transport = Explained(self._roads.transport(road), road)
        return httpx2.Client(auth=auth, transport=transport, **_options(choice))

    def async_client(
        self,
        choice: Choice,
        wrap: Callable[[AsyncTokenSource], AsyncSource] | None = None,
        *,
        detail: str | None = None,
    ) -> httpx2.AsyncClient:
        """Return an async client; `detail` says for what, in the audit."""
        source = self._sources.async_of(choice, detail)
        auth = AsyncAccountAuth(choice, wrap(source) if wrap else source, self._hear)
        road = self._road(choice)
        transport = AsyncExplained(self._roads.async_transport(road), road)
        return httpx2.AsyncClient(auth=auth, transport=transport, **_options(choice))

    def _road(self, choice: Choice) -> Road:
        return self._roads.to(choice.provider.api_for(choice.method).base_url, choice.provider.network)


def _options(choice: Choice) -> dict[str, Any]:
    """Tell what both kinds share: no redirect is followed, and nothing is read from the environment."""
    return {
        "base_url": choice.provider.api_for(choice.method).base_url,
        "headers": {"user-agent": user_agent()},
        "follow_redirects": False,
        "trust_env": False,
        "timeout": TIMEOUT,
    }
