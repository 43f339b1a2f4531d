"""Transports of model calls that say why a provider was not reached; SDKs find in it the error they know as well."""

import asyncio

import httpx2

from doorkey.adapters.http.unreached import unreached
from doorkey.domain.network import Road
from doorkey.errors import ProviderUnavailable

ON_THE_WAY = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)


class Unreached(httpx2.ConnectError, ProviderUnavailable):
    """The provider was not reached, as the HTTP library and as Doorkey say it."""

    def __init__(self, told: ProviderUnavailable) -> None:
        super().__init__(str(told))
        self.hint = told.hint


class Explained(httpx2.BaseTransport):
    """A transport whose failures to connect are told in our words."""

    def __init__(self, inner: httpx2.BaseTransport, road: Road) -> None:
        self._inner = inner
        self._road = road

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, as the transport inside does."""
        try:
            return self._inner.handle_request(request)
        except ON_THE_WAY as error:
            raise Unreached(unreached(error, self._road, str(request.url))) from None

    def close(self) -> None:
        """Close the transport inside."""
        self._inner.close()


class AsyncExplained(httpx2.AsyncBaseTransport):
    """The same for asyncio."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, road: Road) -> None:
        self._inner = inner
        self._road = road

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, as the transport inside does."""
        try:
            return await self._inner.handle_async_request(request)
        except ON_THE_WAY as error:
            told = await asyncio.to_thread(unreached, error, self._road, str(request.url))
            raise Unreached(told) from None

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()
