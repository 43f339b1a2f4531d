"""Plugs an account into `pydantic-ai`: a model by its name here, `PROVIDER:MODEL`."""

from typing import TYPE_CHECKING

from doorkey.domain.conversation import ModelName
from doorkey.domain.provider import Dialect
from doorkey.errors import UnknownName
from doorkey.sdk import anthropic, clients

if TYPE_CHECKING:
    from pydantic_ai.models import Model


def model(name: str, *, account: str | None = None) -> "Model":
    """Return the model for `agent.run(prompt, model=…)`.

    Raises UnknownName for a name without its provider, and what choosing an account raises.
    """
    from doorkey.agent import models

    parsed = ModelName.parse(name)
    if parsed is None:
        raise UnknownName(f"{name!r} is not PROVIDER:MODEL.", hint="Run `doorkey models` to see the names.")
    choice = clients.choose(parsed.provider, account)
    is_anthropic = choice.provider.api_for(choice.method).dialect is Dialect.ANTHROPIC_MESSAGES
    # Anthropic's SDK hides every error that is not its own too.
    client = anthropic.http_client_of(choice) if is_anthropic else clients.async_client(choice)
    return models.build(choice, parsed.model, client)
