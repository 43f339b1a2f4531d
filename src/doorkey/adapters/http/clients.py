"""HTTP clients for model calls, each bound to one account: what SDKs are given in place of a key."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from doorkey.adapters.http.auth import AccountAuth, AsyncAccountAuth, AsyncSource
from doorkey.adapters.http.client import user_agent
from doorkey.service.async_source import AsyncTokenSource
from doorkey.service.resolve import Choice
from doorkey.service.sources import Sources
from doorkey.service.token_source import Source

# Streams may pause while a model thinks; connecting may not.
TIMEOUT = httpx2.Timeout(600.0, connect=10.0)


class Clients:
    """Make clients whose every request is fitted to what was chosen."""

    def __init__(self, sources: Sources, settings: Callable[[str], Mapping[str, Any]]) -> None:
        self._sources = sources
        self._settings = settings

    def client(self, choice: Choice, wrap: Callable[[Source], Source] | None = None) -> httpx2.Client:
        """Return a sync client; `wrap` decorates the source of its credential."""
        source = self._sources.for_calls(choice)
        return httpx2.Client(auth=AccountAuth(choice, wrap(source) if wrap else source), **self._of(choice))

    def async_client(
        self,
        choice: Choice,
        wrap: Callable[[AsyncTokenSource], AsyncSource] | None = None,
        *,
        detail: str | None = None,
    ) -> httpx2.AsyncClient:
        """Return an async client; `detail` says for what, in the audit."""
        source = self._sources.async_of(choice, detail)
        return httpx2.AsyncClient(auth=AsyncAccountAuth(choice, wrap(source) if wrap else source), **self._of(choice))

    def _of(self, choice: Choice) -> dict[str, Any]:
        base_url = choice.provider.api_for(choice.method).base_url
        return {
            **self._settings(urlsplit(base_url).hostname or ""),
            "timeout": TIMEOUT,
            "headers": {"user-agent": user_agent()},
            "base_url": base_url,
        }
