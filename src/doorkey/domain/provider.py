"""Who serves models, and the ways to sign in there: frozen values, one for each provider and method."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from doorkey.domain.network import USUAL, Network
from doorkey.domain.policy import OWN, Policy

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""The names of this machine that plain http may go to."""


class Kind(StrEnum):
    """What a person does to sign in; PROFILE means that a vendor's own tool has signed in and keeps the tokens."""

    AUTHORIZATION_CODE = "authorization_code"
    DEVICE_CODE = "device_code"
    API_KEY = "api_key"
    PROFILE = "profile"
    NONE = "none"


class Dialect(StrEnum):
    """How a model server wants to be spoken to."""

    OPENAI_RESPONSES = "openai-responses"
    OPENAI_CHAT = "openai-chat"
    ANTHROPIC_MESSAGES = "anthropic-messages"


class Grant(StrEnum):
    """What an approved sign-in gives: tokens that are renewed, or a key that lasts (OpenRouter).

    A KEY is given without any registration, so without a client id, and at an address of our choice: a random path
    of it says which sign-in came back, where others send a `state`.
    """

    TOKENS = "tokens"
    KEY = "key"


class DeviceDialect(StrEnum):
    """How a server speaks of a code that is typed on another device: RFC 8628, or the way of Codex's server."""

    RFC8628 = "rfc8628"
    CODEX = "codex"


class Payer(StrEnum):
    """Who pays for a call."""

    PLAN = "plan"
    METERED = "metered"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where the models are; `env` are the only variable names that may hold a key for it.

    `rules` names the request rules that this route adds to its dialect (`providers.dialects.RULES`). A new key is tried
    at `key_path`, which must answer nobody without one.
    """

    base_url: str
    dialect: Dialect
    env: tuple[str, ...] = ()
    rules: str = "plain"
    key_path: str = "/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to sign in.

    `redirect` is the registered one; port 0 means any free port, `fallback_ports` are the other registered ones.
    `registers` means that the callback issues a client id (Sign in with ChatGPT). `api` replaces the provider's.
    `network` is the provider's, because flows know only the method.
    `refresh_days` is how long a refresh token lives that nobody uses, where the provider says so.
    `usage` names the page that tells how much is used (`providers.usage_pages.PAGES`); None where there is none.
    `userinfo_url` says who signed in where no ID token does. `enterprise` are the addresses at a company's own host,
    each with `{host}` in it; `base_url` is that of its API.
    """

    id: str
    kind: Kind
    name: str
    policy: Policy = OWN
    enabled: bool = True
    payer: Payer = Payer.METERED
    api: Api | None = None
    client_id: str | None = None
    issuer: str | None = None
    authorize_url: str | None = None
    token_url: str | None = None
    revoke_url: str | None = None
    jwks_url: str | None = None
    device_url: str | None = None
    device_dialect: DeviceDialect = DeviceDialect.RFC8628
    userinfo_url: str | None = None
    enterprise: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    redirect: str = "http://127.0.0.1:0/callback"
    fallback_ports: tuple[int, ...] = ()
    paste_redirect: str | None = None
    authorize_extra: Mapping[str, str] = field(default_factory=dict)
    resource: str | None = None
    token_body: str = "form"
    refresh_body: str | None = None
    revoke_body: str = "form"
    state_in_token_body: bool = False
    iss_always_sent: bool = False
    registers: bool = False
    grant: Grant = Grant.TOKENS
    plan_scope: str | None = None
    allow_outside_app: bool = False
    manage_url: str | None = None
    usage: str | None = None
    refresh_days: int | None = None
    network: Network = USUAL

    @property
    def lacks_client_id(self) -> bool:
        """Whether it waits for a client id from the person's config."""
        needs_one = self.kind in {Kind.AUTHORIZATION_CODE, Kind.DEVICE_CODE} and self.grant is Grant.TOKENS
        return needs_one and not (self.client_id or self.registers)

    @property
    def setup(self) -> str:
        """Name what the token endpoint judges a client by, so that a change of it is noticed."""
        judged = (self.client_id, self.issuer, self.token_url, self.token_body, self.refresh_body, self.resource)
        return hashlib.sha256(repr(judged).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How a server on this machine is told from anything else: a page of its own, and what its answer must look like.

    `start` tells a person how it is started.
    """

    path: str
    is_own: Callable[[Any], bool]
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody who serves models, with the methods in the order that they are offered.

    One with a `signature` is looked for on this machine, whenever somebody looks.
    """

    id: str
    name: str
    api: Api
    methods: tuple[Method, ...]
    builtin: bool = True
    signature: Signature | None = None
    network: Network = USUAL

    def method(self, method_id: str) -> Method | None:
        """Find a method by its id."""
        return next((method for method in self.methods if method.id == method_id), None)

    def api_for(self, method: Method) -> Api:
        """Return the API that accounts of this method call."""
        return method.api or self.api


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, the port always named, in lower case: what a credential is bound to."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    host = (parts.hostname or "").lower()
    return f"{parts.scheme.lower()}://{f'[{host}]' if ':' in host else host}:{port}"


def is_safe(url: str) -> bool:
    """Whether secrets may travel to this address: https, or plain http that does not leave the machine.

    It is one address to everybody who reads it, a person and a browser too: with nothing before its host, nothing
    invisible, and no backslash, which browsers take for a slash.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or "\\" in url or " " in url or not url.isprintable():
        return False
    is_here = parts.hostname in LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))
