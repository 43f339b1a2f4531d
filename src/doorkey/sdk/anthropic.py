"""Plugs an account into the `anthropic` client.

    client = anthropic.Anthropic(credentials=doorkey.sdk.anthropic.credentials("anthropic"))   # a sign-in
    client = doorkey.sdk.anthropic.client("anthropic")                                         # a sign-in or a key

The SDK calls a provider of credentials three times and hides its error, unless that is one of the SDK's own: what
we raise here is both (`doorkey.DoorkeyError` and `anthropic.AnthropicError`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2

from doorkey.domain.provider import Kind
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, Misconfigured
from doorkey.sdk import clients
from doorkey.service.async_source import AsyncTokenSource
from doorkey.service.resolve import Choice
from doorkey.service.token_source import Source

if TYPE_CHECKING:
    import anthropic
    from anthropic.lib.credentials import AccessToken

PLACEHOLDER = "held-by-doorkey"


class Credentials:
    """What the SDK asks for a token before each request, and again with `force_refresh` after a 401."""

    def __init__(self, choice: Choice) -> None:
        self._source = clients.source(choice)
        self._last: Secret | None = None

    def __call__(self, *, force_refresh: bool = False) -> "AccessToken":
        """Return a usable token; `expires_at` 0 tells the SDK that we keep it fresh ourselves."""
        from anthropic.lib.credentials import AccessToken

        with both_errors():
            rejected = self._last if force_refresh else None
            self._last = self._source.renew(rejected) if rejected else self._source.get()
        return AccessToken(token=self._last.reveal(), expires_at=0)


def credentials(provider: str = "anthropic", *, account: str | None = None) -> Credentials:
    """Return the `credentials` of an `Anthropic` or `AsyncAnthropic`.

    Raises Misconfigured for an API key: the SDK would send it as a bearer token, which it is not.
    """
    choice = clients.choose(provider, account)
    if choice.method.kind is Kind.API_KEY:
        raise Misconfigured(
            f"{choice.label} is an API key, which this SDK cannot take as a credential.",
            hint="Use doorkey.sdk.anthropic.client(…) or async_client(…) instead.",
        )
    return Credentials(choice)


def http_client(provider: str = "anthropic", *, account: str | None = None) -> httpx2.AsyncClient:
    """Return the `http_client` of an `AsyncAnthropic`."""
    return http_client_of(clients.choose(provider, account))


def http_client_of(choice: Choice) -> httpx2.AsyncClient:
    """Return the same for what was chosen already."""
    return clients.async_client(choice, _AsyncSource)


def client(provider: str = "anthropic", *, account: str | None = None) -> "anthropic.Anthropic":
    """Return an `Anthropic` that speaks to the provider of this account, with a sign-in or a key."""
    import anthropic

    choice = clients.choose(provider, account)
    return anthropic.Anthropic(
        api_key=PLACEHOLDER,
        base_url=choice.provider.api_for(choice.method).base_url,
        http_client=clients.sync_client(choice, _Source),
    )


def async_client(provider: str = "anthropic", *, account: str | None = None) -> "anthropic.AsyncAnthropic":
    """Return an `AsyncAnthropic` that speaks to the provider of this account, with a sign-in or a key."""
    import anthropic

    choice = clients.choose(provider, account)
    return anthropic.AsyncAnthropic(
        api_key=PLACEHOLDER,
        base_url=choice.provider.api_for(choice.method).base_url,
        http_client=http_client_of(choice),
    )


class _Source:
    """A source whose errors are the SDK's own too."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner

    def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        with both_errors():
            return self._inner.get(at_least)

    def renew(self, rejected: Secret) -> Secret:
        with both_errors():
            return self._inner.renew(rejected)


class _AsyncSource:
    """The same for asyncio."""

    def __init__(self, inner: AsyncTokenSource) -> None:
        self._inner = inner

    async def get(self) -> Secret:
        with both_errors():
            return await self._inner.get()

    async def renew(self, rejected: Secret) -> Secret:
        with both_errors():
            return await self._inner.renew(rejected)


@contextmanager
def both_errors() -> Iterator[None]:
    """Raise our errors as the SDK's own too."""
    try:
        yield
    except DoorkeyError as error:
        both = _both(type(error))
        raised = both.__new__(both, *error.args)
        raised.__dict__.update(error.__dict__)
        raise raised from error


def _both(kind: type[DoorkeyError]) -> type[DoorkeyError]:
    """Make the class that is of both families; its name is the one that people know."""
    from anthropic import AnthropicError

    return type(kind.__name__, (kind, AnthropicError), {})
