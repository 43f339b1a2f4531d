"""Which models an account may use: fetched with that account, kept for a while, the last good list on failure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from doorkey.domain.account import Account
from doorkey.domain.provider import Dialect, Method, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, ProviderUnavailable
from doorkey.flows.steps import Request
from doorkey.ports import Clock, Transport
from doorkey.providers.dialects import RULES, credential_headers, route_headers
from doorkey.providers.refusals import refusal
from doorkey.service.resolve import Choice
from doorkey.service.sources import Sources

KEPT_FOR = timedelta(minutes=10)
ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """The models of one account in the provider's order; `fault` says why a list is older than it should be."""

    names: tuple[str, ...]
    read_at: datetime | None
    fault: DoorkeyError | None = None


class Models:
    """Fetch and keep model lists, one for each account or key."""

    def __init__(self, *, sources: Sources, transport: Transport, clock: Clock) -> None:
        self._sources = sources
        self._transport = transport
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, ModelList] = {}

    def of(self, choice: Choice) -> ModelList:
        """Return the models that this choice may use; never raises for a provider's fault."""
        key = choice.account.id if choice.account else f"{choice.provider.id}:{choice.rule}"
        with self._lock:
            kept = self._kept.get(key)
        now = self._clock.now()
        if kept and kept.read_at and kept.fault is None and now - kept.read_at < KEPT_FOR:
            return kept
        try:
            listed = ModelList(names=self._fetch(choice), read_at=now)
        except DoorkeyError as error:
            listed = ModelList(names=kept.names if kept else (), read_at=kept.read_at if kept else None, fault=error)
        with self._lock:
            self._kept[key] = listed
        return listed

    def _fetch(self, choice: Choice) -> tuple[str, ...]:
        source = self._sources.for_calls(choice)
        secret = source.get()
        response = self._transport.send(_request_of(choice, secret))
        if response.status == 401 and (renewed := source.renew(secret)) != secret:
            response = self._transport.send(_request_of(choice, renewed))
        if response.status >= 400:
            raise refusal(response.status, response.headers, response.body, now=self._clock.now())
        return read_models(response.body)


def _request_of(choice: Choice, secret: Secret) -> Request:
    return list_request(choice.provider, choice.method, secret, choice.account)


def list_request(provider: Provider, method: Method, secret: Secret, account: Account | None = None) -> Request:
    """Build the request for the models that a credential may use."""
    api = provider.api_for(method)
    headers: dict[str, str | Secret] = {"accept": "application/json"}
    headers |= {name: Secret(value) for name, value in credential_headers(api, method.kind, secret, {}).items()}
    if account:
        headers |= route_headers(method, account)
    base = api.base_url.rstrip("/")
    if api.dialect is Dialect.ANTHROPIC_MESSAGES:
        headers["anthropic-version"] = ANTHROPIC_VERSION
        base = base if base.endswith("/v1") else f"{base}/v1"
    return Request(
        method="GET",
        url=f"{base}/models{RULES[api.rules].list_query}",
        headers=headers,
        timeout=timedelta(seconds=10),
        network=choice.provider.network,
    )


def read_models(body: bytes) -> tuple[str, ...]:
    """Read a model list: the usual `data` of ids, or the plan routes' `models` of slugs with a visibility."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ProviderUnavailable("The model list could not be read.")
    rows = parsed.get("data") or parsed.get("models") or []
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    shown = [row for row in named if row.get("visibility", "list") == "list"]
    return tuple(name for row in shown if (name := _name(row)))


def _name(row: Mapping[str, Any]) -> str | None:
    name = row.get("id") or row.get("slug")
    return name if isinstance(name, str) else None
