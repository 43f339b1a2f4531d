"""HTTP clients over the person's vault, for SDKs that take one."""

import atexit
import os
from collections.abc import Callable
from functools import cache

import httpx2

from doorkey.adapters.http.auth import AsyncSource
from doorkey.bootstrap import House, open_house
from doorkey.service.async_source import AsyncTokenSource
from doorkey.service.resolve import Choice, Wish
from doorkey.service.token_source import Source


@cache
def _house() -> House:
    """Open the vault once for all clients of this process; it is closed at the end of the interpreter."""
    house = open_house()
    atexit.register(house.close)
    return house


def choose(provider: str, account: str | None) -> Choice:
    """Return what serves `provider` for another program than our own app."""
    preferred = os.environ.get("DOORKEY_ACCOUNT")
    return _house().services.resolver.choose(
        Wish(provider=provider, account=account, preferred=preferred, outside=True)
    )


def source(choice: Choice) -> Source:
    """Return the token source of what was chosen."""
    return _house().services.sources.of(choice)


def sync_client(choice: Choice, wrap: Callable[[Source], Source] | None = None) -> httpx2.Client:
    """Return a client whose requests carry the account's credential; `wrap` decorates its source."""
    return _house().clients.client(choice, wrap)


def async_client(choice: Choice, wrap: Callable[[AsyncTokenSource], AsyncSource] | None = None) -> httpx2.AsyncClient:
    """Return the same for asyncio."""
    return _house().clients.async_client(choice, wrap)
