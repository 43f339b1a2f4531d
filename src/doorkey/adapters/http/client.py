"""One HTTP exchange with a provider's OAuth endpoint, and every rule about how it may go."""

import threading
from collections.abc import Mapping
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from doorkey.domain.provider import is_safe
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows.steps import Request, Response

if TYPE_CHECKING:
    import ssl

    import httpx2

LONGEST_BODY = 1024 * 1024
GRACE = 1.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AsyncHttpTransport:
    """Send requests from async code.

    Each exchange has a client of its own: no cookie and no connection is ever shared between two accounts.
    """

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status; raise ProviderUnavailable when there is none in time."""
        import asyncio

        import httpx2

        host = _host(request.url)
        try:
            async with asyncio.timeout(request.timeout.total_seconds()):
                return await self._exchange(request, host)
        except TimeoutError:
            raise _too_late(host) from None
        except UnicodeEncodeError:
            raise Misconfigured("The key holds a character that no key has.", hint="Copy the key again.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Without its cause, because the library's own words may quote the answer or the address.
            raise ProviderUnavailable(f"{host} could not be reached ({type(error).__name__}).") from None

    async def _exchange(self, request: Request, host: str) -> Response:
        async with (
            self._client(host) as client,
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
                    raise ProviderUnavailable(f"{host} sent an answer that is too long.")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status_code, headers=headers, body=bytes(body))

    def settings(self, host: str) -> dict[str, Any]:
        """Tell how every client of ours is made, for model calls too: TLS verified, redirects off."""
        return {
            "verify": self._certificates,
            # No proxy stands between us and this machine.
            "trust_env": host not in LOOPBACK,
            "follow_redirects": False,
        }

    def _client(self, host: str) -> "httpx2.AsyncClient":
        import httpx2

        try:
            # The deadline is for the whole exchange and is kept outside of the client.
            return httpx2.AsyncClient(**self.settings(host), timeout=None)
        except (ValueError, ImportError):
            hint = "Check HTTPS_PROXY and ALL_PROXY: they must be http:// or https:// addresses."
            raise ProviderUnavailable("The proxy that the environment names cannot be used.", hint=hint) from None

    @cached_property
    def _certificates(self) -> "ssl.SSLContext":
        """Load the authorities that this machine trusts, once: it takes longer than everything else here."""
        import httpx2

        try:
            return httpx2.create_ssl_context()
        except OSError as error:
            hint = "Check SSL_CERT_FILE: it must name a file of certificates."
            raise ProviderUnavailable("The trusted certificates cannot be read.", hint=hint) from error


class HttpTransport:
    """The same for sync code: it fills the port `Transport`.

    The exchange runs on an event loop in a thread of its own, because only there can a read be cancelled that a
    server keeps alive with a byte now and then.
    """

    def __init__(self) -> None:
        self._sender = AsyncHttpTransport()
        self.settings = self._sender.settings

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

    def _answer(self, request: Request, answer: "SimpleQueue[Response | BaseException]") -> None:
        import asyncio

        async def exchange() -> None:
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
    return ProviderUnavailable(f"{host} did not answer in time.")
