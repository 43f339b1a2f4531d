"""The one place where every connection to a provider is made: for sign-ins, renewals, lists and model calls alike."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from doorkey.adapters.http.authorities import Authorities
from doorkey.adapters.http.proxies import road
from doorkey.domain.network import Network, Road
from doorkey.domain.provider import Provider
from doorkey.errors import ProviderUnavailable

if TYPE_CHECKING:
    import ssl

    import httpx2

VENDORS_PATIENCE = 30.0


class Roads:
    """Fill `ports.Roads`, and make the transports; `wider` is the network that the config names for everything."""

    def __init__(self, environ: Mapping[str, str], folder: Path, wider: Callable[[], Network] = Network) -> None:
        self._environ = environ
        self._wider = wider
        self._authorities = Authorities(environ, folder)

    def to(self, url: str, network: Network) -> Road:
        return road(url, network, self._wider(), self._environ)

    def trusted(self, network: Network) -> str:
        return self._authorities.describe(network.over(self._wider()).ca_bundle)

    def transport(self, road: Road) -> "httpx2.HTTPTransport":
        """Make what a client connects with; TLS is always verified. Raises ProviderUnavailable."""
        import httpx2

        context = self._context(road)
        with _usable(road):
            return httpx2.HTTPTransport(verify=context, proxy=proxy_of(road, context), trust_env=False)

    def async_transport(self, road: Road) -> "httpx2.AsyncHTTPTransport":
        """Make the same for asyncio."""
        import httpx2

        context = self._context(road)
        with _usable(road):
            return httpx2.AsyncHTTPTransport(verify=context, proxy=proxy_of(road, context), trust_env=False)

    def client(self, provider: Provider) -> "httpx2.Client":
        """Make a client for a vendor's own SDK, which brings its credential itself. Raises ProviderUnavailable."""
        import httpx2

        from doorkey.adapters.http.explained import Explained

        road = self.to(provider.api.base_url, provider.network)
        transport = Explained(self.transport(road), road)
        return httpx2.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=VENDORS_PATIENCE)

    def _context(self, road: Road) -> "ssl.SSLContext":
        """Return whom to believe; on a road without TLS that is nobody, and no store has to be read."""
        import ssl

        return self._authorities.context(road.ca_bundle) if road.tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def proxy_of(road: Road, context: "ssl.SSLContext") -> "httpx2.Proxy | None":
    """Return the proxy as the client takes it; one that speaks TLS itself is verified like everybody else."""
    import httpx2

    if road.proxy is None:
        return None
    address = road.proxy.reveal()
    return httpx2.Proxy(address, ssl_context=context if address.startswith("https:") else None)


@contextmanager
def _usable(road: Road) -> Iterator[None]:
    """Tell that a proxy cannot be used, without its address, which may hold a password."""
    try:
        yield
    except ImportError:
        hint = f"Name one of http:// in {road.why}, or run: pip install socksio"
        raise ProviderUnavailable("The proxy speaks SOCKS, for which a package is missing.", hint=hint) from None
    except ValueError:
        hint = f"Check {road.why}: it must be an http:// or https:// address."
        raise ProviderUnavailable("The proxy cannot be used.", hint=hint) from None
