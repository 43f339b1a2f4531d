"""Fill in what the config leaves out from the issuer's own metadata (OpenID Connect Discovery, RFC 8414)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorkey.domain.provider import Kind, Method, is_safe
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows import steps
from doorkey.flows.steps import Flow, Request

WELL_KNOWN = "/.well-known/openid-configuration"
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
    secrets in clear, and ProviderUnavailable when there is none to read.
    """
    if method.kind is Kind.API_KEY or method.issuer is None or is_complete(method):
        return method
    url = method.issuer.rstrip("/") + WELL_KNOWN
    request = Request(method="GET", url=url, headers={"accept": "application/json"}, network=method.network)
    response = yield from steps.send(request)
    metadata = _metadata(response.status, response.body)
    if metadata.get("issuer") != method.issuer:
        raise Misconfigured("The issuer's metadata names another issuer.")
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


def _metadata(status: int, body: bytes) -> Mapping[str, Any]:
    try:
        metadata = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise ProviderUnavailable("The issuer's metadata could not be read.")
    return metadata
