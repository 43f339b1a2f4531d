"""Plugs an account into the `openai` client.

    client = doorkey.sdk.openai.async_client("openai")
    client = openai.AsyncOpenAI(http_client=doorkey.sdk.openai.http_client("openai"), api_key="unused")

The key that the SDK insists on never leaves the process: the account's credential takes its place on each request.
"""

from typing import TYPE_CHECKING

import httpx2

from doorkey.sdk import clients

if TYPE_CHECKING:
    import openai

PLACEHOLDER = "held-by-doorkey"


def http_client(provider: str, *, account: str | None = None) -> httpx2.AsyncClient:
    """Return the `http_client` of an `AsyncOpenAI`. Raises what choosing an account raises."""
    return clients.async_client(clients.choose(provider, account))


def sync_http_client(provider: str, *, account: str | None = None) -> httpx2.Client:
    """Return the `http_client` of an `OpenAI`."""
    return clients.sync_client(clients.choose(provider, account))


def async_client(provider: str, *, account: str | None = None) -> "openai.AsyncOpenAI":
    """Return an `AsyncOpenAI` that speaks to the provider of this account."""
    import openai

    choice = clients.choose(provider, account)
    base_url = choice.provider.api_for(choice.method).base_url
    return openai.AsyncOpenAI(api_key=PLACEHOLDER, base_url=base_url, http_client=clients.async_client(choice))


def client(provider: str, *, account: str | None = None) -> "openai.OpenAI":
    """Return an `OpenAI` that speaks to the provider of this account."""
    import openai

    choice = clients.choose(provider, account)
    base_url = choice.provider.api_for(choice.method).base_url
    return openai.OpenAI(api_key=PLACEHOLDER, base_url=base_url, http_client=clients.sync_client(choice))
