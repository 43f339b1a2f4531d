"""One HTTP exchange with a provider's OAuth endpoint, and every rule about how it may go."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorkey.adapters.http.proxies import is_loopback
from doorkey.adapters.http.roads import Roads
from doorkey.domain.network import Network, Road
from doorkey.domain.provider import is_safe
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, Misconfigured, ProviderUnavailable
from doorkey.flows.steps import Request, Response

if TYPE_CHECKING:
    import httpx2

LONGEST_BODY = 1024 * 1024
GRACE = 1.0
LULL = 0.5
"""How long what is loaded for later leaves the program to those who need it now."""


class AsyncHttpTransport:
    """Send requests from async code.

    Each exchange has a client of its own: no cookie and no connection is ever shared between two accounts.
    """

    def __init__(self, roads: Roads) -> None:
        self._roads = roads

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status; raise ProviderUnavailable when there is none in time."""
        import asyncio

        host = _host(request.url)
        road = self._roads.to(request.url, request.network)
        try:
            # The deadline is for the whole exchange and is kept outside of the client.
            async with asyncio.timeout(request.timeout.total_seconds()):
                return await self._explained(request, road)
        except TimeoutError:
            raise _too_late(host) from None
        except UnicodeEncodeError:
            raise Misconfigured("The key holds a character that no key has.", hint="Copy the key again.") from None

    async def _explained(self, request: Request, road: Road) -> Response:
        import asyncio

        import httpx2

        try:
            return await self._exchange(request, road)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            from doorkey.adapters.http.unreached import unreached

            # Without its cause, because the library's own words may quote the answer or the address.
            raise await asyncio.to_thread(unreached, error, road, request.url) from None

    async def _exchange(self, request: Request, road: Road) -> Response:
        async with (
            self._client(road) as client,
            client.stream(
                request.method,
                request.url,
                data=_revealed(request.form) if request.form else None,
                json=_revealed(request.json) if request.json is not None else None,
                headers=_revealed(request.headers) | {"user-agent": user_agent()},
            ) as answer,
        ):
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LONGEST_BODY:
                    raise ProviderUnavailable(f"{road.host} sent an answer that is too long.")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status_code, headers=headers, body=bytes(body))

    async def load(self, url: str, network: Network) -> None:
        """Load what the first exchange with an address needs, and go nowhere."""
        from anyio.lowlevel import checkpoint

        await checkpoint()  # What connects finds its way into asyncio when it is first used; that is half of the work.
        async with self._client(self._roads.to(url, network)):
            pass

    def _client(self, road: Road) -> "httpx2.AsyncClient":
        import httpx2

        transport = self._roads.async_transport(road)
        return httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=None)


class HttpTransport:
    """The same for sync code: it fills the port `Transport`.

    The exchange runs on an event loop in a thread of its own, because only there can a read be cancelled that a
    server keeps alive with a byte now and then.
    """

    def __init__(self, roads: Roads) -> None:
        self._sender = AsyncHttpTransport(roads)

    def send(self, request: Request) -> Response:
        answer: SimpleQueue[Response | BaseException] = SimpleQueue()
        threading.Thread(target=self._answer, args=(request, answer), name="doorkey-http", daemon=True).start()
        try:
            outcome = answer.get(timeout=request.timeout.total_seconds() + GRACE)
        except Empty:
            # A name look-up cannot be cancelled; we only stop waiting for it.
            raise _too_late(_host(request.url)) from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def warm(self, url: str, network: Network) -> None:
        """Load later, beside the caller, what takes longer than everything else of a first exchange; send nothing.

        Those who have just got what they waited for are not disturbed, and a command that ends meanwhile loads nothing.
        """
        threading.Thread(target=self._load, args=(url, network), name="doorkey-warm", daemon=True).start()

    def _load(self, url: str, network: Network) -> None:
        import asyncio

        time.sleep(LULL)
        with suppress(DoorkeyError):  # Whoever sends something is told.
            asyncio.run(self._sender.load(url, network))

    def _answer(self, request: Request, answer: "SimpleQueue[Response | BaseException]") -> None:
        import asyncio

        from doorkey.adapters.http.unawaited import Unawaited

        async def exchange() -> None:
            asyncio.get_running_loop().set_default_executor(Unawaited())
            [outcome] = await asyncio.gather(self._sender.send(request), return_exceptions=True)
            answer.put(outcome)

        asyncio.run(exchange())


def user_agent() -> str:
    """Say who we are (rule 9)."""
    from importlib.metadata import version

    return f"doorkey/{version('doorkey')}"


def _host(url: str) -> str:
    """Name the host; refuse to send secrets in clear to another machine."""
    try:
        safe, host = is_safe(url), urlsplit(url).hostname
    except ValueError:
        safe, host = False, None
    if not safe or host is None:
        raise Misconfigured("An address of this provider is not https.")
    return host


def _revealed(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    """Take the secrets out of their wrapping: the last thing before they are sent."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def _too_late(host: str) -> ProviderUnavailable:
    beyond = "Try again; behind a proxy, name it in HTTPS_PROXY or under [network] in config.toml."
    return ProviderUnavailable(f"{host} did not answer in time.", hint=None if is_loopback(host) else beyond)
