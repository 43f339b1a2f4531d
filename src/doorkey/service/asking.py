"""Asking a page of a provider, beside the calls of models, with what was chosen for them."""

from collections.abc import Callable
from datetime import timedelta

from doorkey.domain.account import Account
from doorkey.domain.provider import Method, Provider
from doorkey.domain.secret import Secret
from doorkey.flows.steps import Request, Response
from doorkey.ports import Transport
from doorkey.providers.dialects import credential_headers, route_headers
from doorkey.service.token_source import Source

PATIENCE = timedelta(seconds=10)


def page_request(provider: Provider, method: Method, secret: Secret, account: Account | None, url: str) -> Request:
    """Build the request for a page, with the credential and the route that a call would have."""
    api = provider.api_for(method)
    headers: dict[str, str | Secret] = {"accept": "application/json"}
    headers |= {name: Secret(value) for name, value in credential_headers(api, method.kind, secret, {}).items()}
    if account:
        headers |= route_headers(method, account)
    return Request(method="GET", url=url, headers=headers, timeout=PATIENCE, network=provider.network)


def answered(transport: Transport, source: Source, request: Callable[[Secret], Request]) -> Response:
    """Send what is asked with a secret, and once more where that was refused and another has come (rule 4)."""
    secret = source.get()
    response = transport.send(request(secret))
    if response.status == 401 and (renewed := source.renew(secret)) != secret:
        response = transport.send(request(renewed))
    return response
