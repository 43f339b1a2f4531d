"""Which proxy stands before an address: the config's, else the environment's, and none before this machine."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from doorkey.domain.network import DIRECT, Network, Road
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable

SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
PROVIDERS_OWN = "the provider's network in config.toml"
EVERYBODYS = "[network] in config.toml"

System = Callable[[str, str], str | None]
"""Asks the system's own settings for the proxy before a scheme and a host."""


def system_proxy(scheme: str, host: str) -> str | None:
    """Return the proxy of the system's own settings, which only macOS has; the environment was asked before."""
    import platform

    if platform.system() != "Darwin":
        return None
    from urllib.request import getproxies, proxy_bypass

    return None if proxy_bypass(host) else getproxies().get(scheme)


def road(url: str, network: Network, wider: Network, environ: Mapping[str, str], system: System = system_proxy) -> Road:
    """Choose the road to an address; `network` is its provider's, `wider` holds for all of them.

    Raises ProviderUnavailable for a proxy whose address is none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        proxy, why = None, "this computer is reached without a proxy"
    else:
        proxy, why = _configured(network, wider) or _found(parts.scheme, host, environ, system)
    return Road(
        host=host,
        why=why,
        tls=parts.scheme != "http",
        proxy=_checked(proxy, why) if proxy else None,
        ca_bundle=network.over(wider).ca_bundle,
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by whatever name."""
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _configured(network: Network, wider: Network) -> tuple[str | None, str] | None:
    """Return the proxy that the config names and where; None where it says nothing of it."""
    for configured, why in ((network.proxy, PROVIDERS_OWN), (wider.proxy, EVERYBODYS)):
        if configured:
            proxy = configured.reveal()
            return None if proxy == DIRECT else proxy, why
    return None


def _found(scheme: str, host: str, environ: Mapping[str, str], system: System) -> tuple[str | None, str]:
    """Return the proxy that the environment names, else the system, and who that was."""
    if exempt(host, _value(environ, "NO_PROXY")):
        return None, "NO_PROXY"
    for name in (f"{scheme.upper()}_PROXY", "ALL_PROXY"):
        if named := _value(environ, name):
            return named if "://" in named else f"http://{named}", name
    settings = system(scheme, host)
    return settings, "the system's settings" if settings else "nothing names one"


def exempt(host: str, no_proxy: str) -> bool:
    """Whether a NO_PROXY names a host: by its name or a domain above it, an address, a network, or `*` for all."""
    return any(_names(entry.strip().lower(), host) for entry in no_proxy.split(",") if entry.strip())


def _names(entry: str, host: str) -> bool:
    import ipaddress

    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name = entry.partition(":")[0] if entry.count(":") == 1 else entry
        domain = name.removeprefix("*").lstrip(".")
        return host == domain or host.endswith(f".{domain}")


def _value(environ: Mapping[str, str], name: str) -> str:
    """Read a variable in small letters before the same in capitals, as curl does; empty where it is absent."""
    return environ.get(name.lower()) or environ.get(name) or ""


def _checked(proxy: str, why: str) -> Secret:
    """Take the address of a proxy; what is wrong with it is said without repeating it, for it may hold a password."""
    try:
        parts = urlsplit(proxy)
        # A password with a slash in it ends the host too early, and would be shown as a port.
        whole = "@" not in f"{parts.path}{parts.query}{parts.fragment}"
        usable = whole and parts.scheme in SCHEMES and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        hint = f"Check {why}: it must be an http:// or https:// address."
        raise ProviderUnavailable("The proxy cannot be used: its address is none that we know.", hint=hint)
    return Secret(proxy)
