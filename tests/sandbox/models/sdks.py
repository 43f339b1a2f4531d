"""The vendors' own SDKs, over the app."""

import anthropic
import httpx2
import openai

from tests.sandbox.visitor import BASE_URL, Visitor

OAUTH_BETA = {"anthropic-beta": "oauth-2025-04-20"}


def openai_client(visitor: Visitor, secret: str, path: str = "/v1") -> openai.AsyncOpenAI:
    transport = httpx2.ASGITransport(visitor.sandbox.app)
    client = httpx2.AsyncClient(transport=transport)
    return openai.AsyncOpenAI(api_key=secret, base_url=BASE_URL + path, http_client=client, max_retries=0)


def anthropic_client(visitor: Visitor, *, key: str | None = None, token: str | None = None) -> anthropic.AsyncAnthropic:
    transport = httpx2.ASGITransport(visitor.sandbox.app)
    return anthropic.AsyncAnthropic(
        api_key=key,
        auth_token=token,
        base_url=BASE_URL,
        http_client=httpx2.AsyncClient(transport=transport),
        default_headers=OAUTH_BETA if token else None,
        max_retries=0,
    )
