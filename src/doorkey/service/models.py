"""Which models an account may use: fetched with that account and kept, the last good list on failure, with its age."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlencode

from doorkey.domain.account import SIGNED_IN, Account
from doorkey.domain.provider import Dialect, Kind, Method, Payer, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, Misconfigured, ModelRefused, StorageFull, StoreBusy, UnknownName
from doorkey.flows.steps import Request
from doorkey.ports import Clock, Preferences, Transport
from doorkey.providers.dialects import RULES
from doorkey.providers.model_lists import Page, nearest, read_page
from doorkey.service.asking import answered, page_request
from doorkey.service.hearing import MODEL_LIST, Hear, Heard, deaf
from doorkey.service.resolve import Choice
from doorkey.service.sources import Sources
from doorkey.service.token_source import Source

KEPT_FOR = timedelta(minutes=10)
REMEMBERED_FOR = timedelta(days=1)
"""How long a refusal is told beside a model; plans change."""

ANTHROPIC_VERSION = "2023-06-01"
PAGE_SIZE = 1000
MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """The models of one account in the provider's order; `fault` says why a list is older than it should be.

    `refused` says why a model cannot be used, by its name: what the list told, or what a call met.
    """

    names: tuple[str, ...]
    read_at: datetime | None
    refused: Mapping[str, str] = field(default_factory=dict)
    fault: DoorkeyError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A list as it is remembered, also over a restart; `met` are refusals of calls, each with its moment."""

    names: tuple[str, ...] = ()
    read_at: datetime | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    met: Mapping[str, datetime] = field(default_factory=dict)

    def listed(self, now: datetime, missing: str, fault: DoorkeyError | None = None) -> ModelList:
        """Show it, with the refusals that are not too long ago."""
        lately = {name: missing for name, at in self.met.items() if now - at < REMEMBERED_FOR}
        return ModelList(names=self.names, read_at=self.read_at, refused=lately | dict(self.refused), fault=fault)

    def to_json(self) -> str:
        """Write it for the store."""
        read_at = self.read_at.isoformat() if self.read_at else None
        met = {name: at.isoformat() for name, at in self.met.items()}
        return json.dumps({"names": self.names, "read_at": read_at, "refused": dict(self.refused), "met": met})

    @classmethod
    def from_json(cls, text: str | None) -> "_Kept":
        """Read it back; what cannot be read was never there."""
        try:
            stored = json.loads(text or "{}")
            return cls(
                names=tuple(map(str, stored["names"])),
                read_at=datetime.fromisoformat(stored["read_at"]) if stored["read_at"] else None,
                refused={str(name): str(why) for name, why in stored["refused"].items()},
                met={str(name): datetime.fromisoformat(at) for name, at in stored["met"].items()},
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            return cls()


class Models:
    """Fetch and keep model lists, one for each account or key; `shelf` is where they outlive this process."""

    def __init__(
        self,
        *,
        sources: Sources,
        transport: Transport,
        clock: Clock,
        shelf: Callable[[], Preferences],
        hear: Hear = deaf,
    ) -> None:
        self._sources = sources
        self._transport = transport
        self._clock = clock
        self._shelf = shelf
        self._hear = hear
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}
        self._failed: set[str] = set()

    def of(self, choice: Choice) -> ModelList:
        """Return the models that this choice may use; never raises for a provider's fault."""
        key, now = _key(choice), self._clock.now()
        kept = self._recall(key)
        if _is_young(choice, kept, now):
            return kept.listed(now, _missing(choice))
        try:
            page = self._fetch(choice)
        except DoorkeyError as error:
            return kept.listed(now, _missing(choice), error)
        kept = replace(kept, names=page.names, refused=page.refused, read_at=now)
        self._keep(key, kept)
        return kept.listed(now, _missing(choice))

    def forget(self, account: str) -> None:
        """Let go of what is remembered of an account that has left."""
        with self._lock, suppress(DoorkeyError):
            self._kept.pop(account, None)
            self._shelf().remove(f"models:{account}")

    def explain(self, choice: Choice, model: str, error: DoorkeyError) -> DoorkeyError:
        """Say of a call's refusal whether it was the model, why, and which is nearest; nobody is moved (rule 5)."""
        if type(error) not in {UnknownName, Misconfigured}:
            return error
        listed = self.of(choice)
        # Some servers answer 400 to a name that they do not know.
        if type(error) is Misconfigured and (not listed.names or model in listed.names):
            return error
        if model in listed.names:
            self._remember(choice, model)
        others = [name for name in listed.names if name != model and name not in listed.refused]
        near = nearest(model, others)
        full = f"{choice.provider.id}:{near}" if near else None
        lists = f"`doorkey models {choice.provider.id}` lists what there is."
        return ModelRefused(
            f"{model} {listed.refused.get(model) or _missing(choice)}.",
            hint=f"The nearest that is there is {full}; {lists}" if full else lists,
            nearest=full,
        )

    def _remember(self, choice: Choice, model: str) -> None:
        kept = self._recall(_key(choice))
        self._keep(_key(choice), replace(kept, met={**kept.met, model: self._clock.now()}))

    def _recall(self, key: str) -> _Kept:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _Kept()
                with suppress(StoreBusy, StorageFull):
                    self._kept[key] = _Kept.from_json(self._shelf().get(f"models:{key}"))
            return self._kept[key]

    def _keep(self, key: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            # A list that is not remembered is asked for again; that is no reason to fail.
            with suppress(StoreBusy, StorageFull):
                self._shelf().set(f"models:{key}", kept.to_json())

    def _fetch(self, choice: Choice) -> Page:
        source = self._sources.for_calls(choice)
        whole = page = self._page(choice, source, None)
        for _ in range(MOST_PAGES):
            if page.after is None:
                break
            page = self._page(choice, source, page.after)
            whole = Page(names=whole.names + page.names, refused={**whole.refused, **page.refused})
        return whole

    def _page(self, choice: Choice, source: Source, after: str | None) -> Page:
        response = answered(self._transport, source, lambda secret: _request_of(choice, secret, after))
        heard = Heard.of(choice, MODEL_LIST, response, self._clock.now())
        self._hear(heard)
        if heard.error:
            raise heard.error
        rules = RULES[choice.provider.api_for(choice.method).rules]
        return read_page(response.body, prefix=rules.name_prefix, endpoint=rules.list_endpoint)


def _key(choice: Choice) -> str:
    return choice.account.id if choice.account else f"{choice.provider.id}:{choice.rule}"


def _is_young(choice: Choice, kept: _Kept, now: datetime) -> bool:
    """Whether a list need not be asked for again; what runs on this machine is cheap to ask and changes quickly."""
    if kept.read_at is None or choice.method.kind is Kind.NONE:
        return False
    proof = choice.account.standing.proof if choice.account else None
    signed_in_since = proof is not None and proof.call == SIGNED_IN and proof.at > kept.read_at
    return timedelta(0) <= now - kept.read_at < KEPT_FOR and not signed_in_since


def _missing(choice: Choice) -> str:
    """Say of a model that this account may not use it."""
    plan = choice.account.identity.plan if choice.account and choice.payer is Payer.PLAN else None
    return f"is not in your {plan.capitalize()} plan" if plan else f"is not among the models of {choice.label}"


def _request_of(choice: Choice, secret: Secret, after: str | None) -> Request:
    return list_request(choice.provider, choice.method, secret, choice.account, after=after)


def list_request(
    provider: Provider,
    method: Method,
    secret: Secret,
    account: Account | None = None,
    *,
    after: str | None = None,
    path: str = "/models",
) -> Request:
    """Build the request for the models that a credential may use; `after` is the last name of the page before.

    `path` is another page of the API, asked in the same way.
    """
    api = provider.api_for(method)
    base, query = api.base_url.rstrip("/"), RULES[api.rules].list_query
    if api.dialect is Dialect.ANTHROPIC_MESSAGES:
        base = base if base.endswith("/v1") else f"{base}/v1"
        query = f"?{urlencode({'limit': PAGE_SIZE} | ({'after_id': after} if after else {}))}"
    request = page_request(provider, method, secret, account, f"{base}{path}{query}")
    if api.dialect is Dialect.ANTHROPIC_MESSAGES:
        return replace(request, headers={**request.headers, "anthropic-version": ANTHROPIC_VERSION})
    return request
