"""Fill in what the config leaves out from the issuer's own metadata (OpenID Connect Discovery, RFC 8414)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from doorkey.domain.provider import Kind, Method, is_safe
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows import steps
from doorkey.flows.steps import Flow, Request

WELL_KNOWN = "/.well-known/openid-configuration"
# RFC 8414 section 3 sets its own before the issuer's path; OAuth servers without OpenID Connect have only this one.
OAUTH_WELL_KNOWN = "/.well-known/oauth-authorization-server"
NOT_THERE = frozenset({401, 403, 404, 405, 410})
ENDPOINTS = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "revoke_url": "revocation_endpoint",
    "jwks_url": "jwks_uri",
    "device_url": "device_authorization_endpoint",
}


def discovered(method: Method) -> Flow[Method]:
    """Return the method with the addresses that its issuer publishes in the places that the config left empty.

    Raises Misconfigured when the metadata names another issuer (RFC 8414 section 3.3) or an address that would carry
    secrets in clear, and ProviderUnavailable when there is none to read: a renewal may find it again later.
    """
    if method.kind is Kind.API_KEY or method.issuer is None or is_complete(method):
        return method
    metadata = yield from _metadata(method, method.issuer)
    _check_issuer(method.issuer, metadata.get("issuer"))
    found = {
        ours: str(metadata[theirs])
        for ours, theirs in ENDPOINTS.items()
        if getattr(method, ours) is None and isinstance(metadata.get(theirs), str)
    }
    for address in found.values():
        if not is_safe(address):
            raise Misconfigured("The issuer's metadata holds an address without https.")
    iss_always_sent = metadata.get("authorization_response_iss_parameter_supported") is True
    return replace(method, **found, iss_always_sent=method.iss_always_sent or iss_always_sent)  # type: ignore[arg-type]


def is_complete(method: Method) -> bool:
    """Whether nothing has to be asked of the issuer before a sign-in."""
    needs_keys = "openid" in method.scopes
    begins = method.device_url if method.kind is Kind.DEVICE_CODE else method.authorize_url
    return bool(begins and method.token_url and (method.jwks_url or not needs_keys))


def _metadata(method: Method, issuer: str) -> Flow[Mapping[str, Any]]:
    """Fetch what the issuer says of itself, from the first of its two places that has it."""
    parts = urlsplit(issuer)
    for url in (
        issuer.rstrip("/") + WELL_KNOWN,
        parts._replace(path=OAUTH_WELL_KNOWN + parts.path.rstrip("/")).geturl(),
    ):
        request = Request(method="GET", url=url, headers={"accept": "application/json"}, network=method.network)
        response = yield from steps.send(request)
        if response.status not in NOT_THERE:
            return _read(response.status, response.body)
    raise ProviderUnavailable(
        "The issuer publishes no metadata.",
        hint="Check `issuer` in config.toml, or name authorize_url, token_url and jwks_url beside it.",
    )


def _read(status: int, body: bytes) -> Mapping[str, Any]:
    try:
        metadata = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise ProviderUnavailable("The issuer's metadata could not be read.")
    return metadata


def _check_issuer(issuer: str, named: object) -> None:
    """Compare letter by letter; a slash at the end makes another issuer, and is easily missed."""
    if named == issuer:
        return
    slash = isinstance(named, str) and named.rstrip("/") == issuer.rstrip("/")
    hint = f"Write `issuer` {'with' if str(named).endswith('/') else 'without'} a slash at its end." if slash else None
    raise Misconfigured("The issuer's metadata names another issuer.", hint=hint)
