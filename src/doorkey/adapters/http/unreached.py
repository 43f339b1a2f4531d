"""Why no answer came: the failures of proxies, names and certificates, in words that say what to do.

The library's own words are never repeated, because they may quote an answer or an address.
"""

import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from socket import gaierror
from typing import Any

import httpx2

from doorkey.adapters.http.proxies import is_loopback
from doorkey.adapters.http.roads import proxy_of
from doorkey.domain.causes import causes_of
from doorkey.domain.network import Road
from doorkey.errors import ProviderUnavailable

PEEK = 3.0
LONGEST_NAME = 80
# X509_V_ERR_… of OpenSSL; every other one means that nobody whom we trust has signed.
NOT_YET_VALID, EXPIRED, OTHER_NAME, OTHER_ADDRESS = 9, 10, 62, 64

NAME_HINT = (
    "Check the address and the network; behind a proxy, name it in HTTPS_PROXY or under [network] in config.toml."
)
TLS_HINT = "Something between may stop it: a firewall, or a proxy that has to be named first."
HERE_HINT = "Start the server there, or correct its address in config.toml."
PROXY_HINT = "Check {why}, and that the proxy runs."
AUTH_HINT = "Put them into its address, http://USER:PASSWORD@HOST:PORT, in {why}."
TRUST_HINT = (
    'If that is your own company, name its certificate in config.toml: ca_bundle = "/path/to/ca.pem" under [network].'
)


def unreached(error: Exception, road: Road, url: str) -> ProviderUnavailable:
    """Say why an address was not reached; may ask the server for its certificate, but sends it nothing."""
    causes = list(causes_of(error))
    refused = _first(causes, ssl.SSLCertVerificationError)
    if refused is not None:
        return _distrusted(refused, road, url)
    if isinstance(error, httpx2.ProxyError):
        return _stopped(error, road)
    if _first(causes, ssl.SSLError):
        return ProviderUnavailable(f"{road.host} was reached, but no TLS connection came about.", hint=TLS_HINT)
    through = f"The proxy {road.shown}" if road.proxy else road.host
    if _first(causes, gaierror):
        hint = PROXY_HINT.format(why=road.why) if road.proxy else NAME_HINT
        return ProviderUnavailable(f"{through} cannot be found: no such name, or no network.", hint=hint)
    if road.proxy and isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return ProviderUnavailable(f"{through} cannot be reached.", hint=PROXY_HINT.format(why=road.why))
    hint = HERE_HINT if is_loopback(road.host) else NAME_HINT
    return ProviderUnavailable(f"{road.host} could not be reached: {_how(error)}.", hint=hint)


def _how(error: Exception) -> str:
    """Say in words how it failed: an exception's own text may hold what was sent."""
    if isinstance(error, httpx2.TimeoutException):
        return "no answer came in time"
    return "nothing answers there" if isinstance(error, httpx2.ConnectError) else "the connection broke off"


def _stopped(error: httpx2.ProxyError, road: Road) -> ProviderUnavailable:
    """Say what the proxy answered; its status is all that is taken from its words."""
    found = re.match(r"(\d{3})\b", str(error))
    status = found[1] if found else "no status"
    if status == "407":
        hint = AUTH_HINT.format(why=road.why)
        return ProviderUnavailable(f"The proxy {road.shown} wants another user and password (407).", hint=hint)
    hint = f"Ask whoever runs the proxy to let {road.host} through."
    return ProviderUnavailable(f"The proxy {road.shown} did not connect to {road.host} ({status}).", hint=hint)


def _distrusted(error: ssl.SSLCertVerificationError, road: Road, url: str) -> ProviderUnavailable:
    if error.verify_code in {NOT_YET_VALID, EXPIRED}:
        ends = "has ended" if error.verify_code == EXPIRED else "is not valid yet"
        hint = "Check this computer's clock; if it is right, whoever runs the server has to renew it."
        return ProviderUnavailable(f"The certificate of {road.host} {ends}.", hint=hint)
    if error.verify_code in {OTHER_NAME, OTHER_ADDRESS}:
        hint = "Check the address; the network may lead it to another server, such as a sign-in page of a Wi-Fi."
        return ProviderUnavailable(f"The certificate shown for {road.host} is another server's.", hint=hint)
    if road.shown and road.shown.startswith("https:"):
        # It may as well be the proxy's own, and nothing tells which.
        return ProviderUnavailable(f"The certificate of {road.host} or of its proxy is not trusted.", hint=TRUST_HINT)
    issuer = issuer_of(road, url)
    by = f"is issued by “{issuer}”, which this computer does not trust" if issuer else "is not trusted here"
    return ProviderUnavailable(f"The certificate of {road.host} {by}.", hint=TRUST_HINT)


def issuer_of(road: Road, url: str) -> str | None:
    """Name who issued the certificate that a server shows; the connection ends before anything is sent on it."""
    parts = httpx2.URL(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Looking at a certificate is not believing it: `_look` always ends the connection at its handshake.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    shown: list[bytes] = []
    with (
        suppress(Exception),  # It only makes the sentence better; what went wrong is known already.
        httpx2.HTTPTransport(verify=context, proxy=proxy_of(road, context), trust_env=False) as transport,
        httpx2.Client(transport=transport, trust_env=False, timeout=PEEK) as client,
    ):
        client.head(parts.copy_with(raw_path=b"/"), extensions={"trace": _look(road, shown.append)})
    return _name(shown[0]) if shown else None


class _Seen(Exception):
    """The certificate was seen."""


def _look(road: Road, tell: Callable[[bytes], object]) -> Callable[[str, dict[str, Any]], None]:
    def trace(event: str, told: dict[str, Any]) -> None:
        # Through a proxy, the handshake of `connection` is the proxy's own.
        of_the_server = not (road.proxy and event.startswith("connection."))
        if of_the_server and event.endswith(".start_tls.complete"):
            stream = told["return_value"]
            certificate = stream.get_extra_info("ssl_object").getpeercert(True)
            stream.close()
            tell(certificate)
            raise _Seen

    return trace


def _name(certificate: bytes) -> str | None:
    """Read the issuer's name for people; anybody may have written it, so it is kept short and printable."""
    from cryptography import x509

    with suppress(ValueError):
        issuer = x509.load_der_x509_certificate(certificate).issuer
        for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
            for attribute in issuer.get_attributes_for_oid(kind):
                text = "".join(char for char in str(attribute.value) if char.isprintable())
                return text[:LONGEST_NAME] or None
    return None


def _first(causes: list[BaseException], kind: type[Any]) -> Any:
    return next((cause for cause in causes if isinstance(cause, kind)), None)
