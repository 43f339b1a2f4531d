"""Fits each request of a client to an account: its credential, to its own origins only, and its route's rules."""

import json
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from typing import Protocol

import httpx2

from doorkey.domain.provider import origin
from doorkey.domain.secret import Secret
from doorkey.errors import OriginChanged
from doorkey.flows.steps import Response
from doorkey.providers.dialects import CREDENTIAL_HEADERS, RULES, credential_headers, route_headers, turn_headers
from doorkey.service.hearing import MODEL_CALL, MODEL_LIST, Hear, Heard, deaf
from doorkey.service.resolve import Choice
from doorkey.service.token_source import Source


class AsyncSource(Protocol):
    """Where the credential comes from, for asyncio."""

    async def get(self) -> Secret: ...
    async def renew(self, rejected: Secret) -> Secret: ...


class _Fitting(httpx2.Auth):
    """What both kinds share: where the credential may go, and what a request must look like."""

    requires_request_body = True

    def __init__(self, choice: Choice, hear: Hear) -> None:
        self._choice = choice
        self._hear = hear
        self._api = choice.provider.api_for(choice.method)
        self._kind = choice.method.kind
        self._origin = choice.account.origins.api if choice.account else origin(self._api.base_url)
        self._route = route_headers(choice.method, choice.account) if choice.account else {}
        self._rules = RULES[self._api.rules]

    def fit(self, request: httpx2.Request, secret: Secret) -> httpx2.Request:
        """Return the request in the route's form with the credential on it; a placeholder that was there is dropped.

        Raises OriginChanged for a request that leaves the account's origin, also by a redirect (rule 6), and
        Misconfigured for a field that the route cannot take.
        """
        if origin(str(request.url)) != self._origin:
            raise OriginChanged("The request leaves the address that this account was made for.")
        present = {name: request.headers[name] for name in ("anthropic-beta",) if name in request.headers}
        dropped = {*CREDENTIAL_HEADERS, "content-length", "transfer-encoding"}
        headers = httpx2.Headers([pair for pair in request.headers.multi_items() if pair[0].lower() not in dropped])
        headers.update(credential_headers(self._api, self._kind, secret, present) | self._route)
        content, body = request.content, _read_body(request)
        if body is not None:
            headers.update(turn_headers(self._api, body))
            content = json.dumps(self._rules.shape(body)).encode()
        return httpx2.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )

    def tell(self, response: httpx2.Response) -> None:
        """Let it be heard what the answer says of the account; only a refusal has been read to its end."""
        answer = Response(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content if response.status_code >= 400 else b"",
        )
        call = MODEL_CALL if response.request.method == "POST" else MODEL_LIST
        self._hear(Heard.of(self._choice, call, answer, datetime.now(UTC)))


class AccountAuth(_Fitting):
    """For sync clients."""

    def __init__(self, choice: Choice, source: Source, hear: Hear = deaf) -> None:
        super().__init__(choice, hear)
        self._source = source

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send with the credential; after a 401 renew and send once more (rule 4), before any byte is handed on."""
        request.read()
        secret = self._source.get()
        response = yield self.fit(request, secret)
        if response.status_code == 401 and (renewed := self._source.renew(secret)) != secret:
            response.read()
            response = yield self.fit(request, renewed)
        if response.status_code >= 400:
            response.read()
        self.tell(response)


class AsyncAccountAuth(_Fitting):
    """For async clients; waiting for a renewal never blocks the loop."""

    def __init__(self, choice: Choice, source: AsyncSource, hear: Hear = deaf) -> None:
        super().__init__(choice, hear)
        self._source = source

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send with the credential; after a 401 renew and send once more (rule 4), before any byte is handed on."""
        await request.aread()
        secret = await self._source.get()
        response = yield self.fit(request, secret)
        if response.status_code == 401 and (renewed := await self._source.renew(secret)) != secret:
            await response.aread()
            response = yield self.fit(request, renewed)
        if response.status_code >= 400:
            await response.aread()
        self.tell(response)


def _read_body(request: httpx2.Request) -> dict[str, object] | None:
    """Read what is asked of a model; None for anything else."""
    if request.method != "POST" or "json" not in request.headers.get("content-type", ""):
        return None
    try:
        body = json.loads(request.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
