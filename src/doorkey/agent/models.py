"""Models of pydantic-ai over our own clients: the SDKs speak the dialect, our client proves the account."""

from typing import TYPE_CHECKING, Any

from doorkey.domain.provider import Api, Dialect
from doorkey.providers.dialects import RULES
from doorkey.service.resolve import Choice

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from pydantic_ai.models import Model
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers import Provider

# The SDKs insist on a key; our client takes it off again and puts the account's credential on.
PLACEHOLDER = "replaced-by-doorkey"


def build(choice: Choice, model_name: str, client: "httpx2.AsyncClient") -> "Model":
    """Make the model of this name at the chosen provider; whoever made the client closes it.

    Importing an SDK takes a second: call this in a worker thread. Nothing is read from the SDKs' own variables,
    and nothing is tried again behind our back.
    """
    api = choice.provider.api_for(choice.method)
    if api.dialect is Dialect.ANTHROPIC_MESSAGES:
        return _anthropic(api, model_name, client)
    return _openai(choice.provider.id, api, model_name, client)


def _openai(provider_id: str, api: Api, model_name: str, client: "httpx2.AsyncClient") -> "Model":
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel, OpenAIResponsesModelSettings
    from pydantic_ai.settings import ModelSettings

    sdk = _bare(AsyncOpenAI(api_key=PLACEHOLDER, base_url=api.base_url, http_client=client, max_retries=0))
    sdk.organization = sdk.project = sdk.admin_api_key = None
    provider = _openai_provider(provider_id, sdk)
    honest = _own_name(client)
    if api.dialect is Dialect.OPENAI_RESPONSES:
        # The chat is kept here, so nobody else has to; what is not stored comes back sealed and is sent again.
        settings = OpenAIResponsesModelSettings(extra_headers=honest, openai_store=False)
        only_streams = RULES[api.rules].only_streams
        kind = _streamed(OpenAIResponsesModel) if only_streams else OpenAIResponsesModel
        return kind(model_name, provider=provider, settings=settings)
    return OpenAIChatModel(model_name, provider=provider, settings=ModelSettings(extra_headers=honest))


def _streamed(kind: "type[OpenAIResponsesModel]") -> "type[OpenAIResponsesModel]":
    """Make the kind of model for a route that only streams: a whole answer is a stream read to its end."""

    class Streamed(kind):  # type: ignore[misc,valid-type]  # The class comes with a library that is loaded late.
        async def request(self, *asked: Any) -> Any:
            async with self.request_stream(*asked) as stream:
                async for _ in stream:
                    pass
                return stream.get()

    return Streamed


def _openai_provider(provider_id: str, sdk: "AsyncOpenAI") -> "Provider[AsyncOpenAI]":
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    if provider_id == "openai":
        return OpenAIProvider(openai_client=sdk)
    return OpenAICompatibleProvider(provider_id, openai_client=sdk)


def _anthropic(api: Api, model_name: str, client: "httpx2.AsyncClient") -> "Model":
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
    from pydantic_ai.settings import ModelSettings

    sdk = _bare(AsyncAnthropic(api_key=PLACEHOLDER, base_url=api.base_url, http_client=client, max_retries=0))
    settings = ModelSettings(extra_headers=_own_name(client))
    return AnthropicModel(model_name, provider=AnthropicProvider(anthropic_client=sdk), settings=settings)


def _bare(sdk: Any) -> Any:
    """Drop the headers that OPENAI_CUSTOM_HEADERS and ANTHROPIC_CUSTOM_HEADERS add; no argument keeps them out."""
    sdk._custom_headers = {}  # noqa: SLF001
    return sdk


def _own_name(client: "httpx2.AsyncClient") -> dict[str, str]:
    """Say who we are (rule 9), over the names that SDK and framework would give."""
    return {"User-Agent": client.headers["user-agent"]}
