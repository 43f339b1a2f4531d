"""The model picker: connected providers first, each with its models; a lock and *Connect* beside the others."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from doorkey.errors import DoorkeyError
from doorkey.service.listing import error_json
from doorkey.service.resolve import Wish
from doorkey.web.calls import Call
from doorkey.web.views import part


def picker(call: Call) -> Response:
    """List the providers; each one's models are asked for beside the others."""
    services = call.desk.services
    listed = services.listing.providers(services.neighbours.running())
    able = [provider for provider in listed if can_serve(provider) and provider["running"] is not False]
    locked = [provider for provider in listed if not can_serve(provider) and provider["running"] is not False]
    away = [provider for provider in listed if provider["accounts"] and provider["running"] is False]
    return part("parts/picker.html", able=able, locked=locked, away=away)


def models(call: Call) -> Response:
    """List one provider's models, or say why it has none to offer."""
    provider = call.desk.services.catalog.provider(call.path("provider"))
    accounts = call.desk.services.book.of(provider.id)
    values: dict[str, Any] = {"provider": provider, "accounts": accounts, "choice": None, "listed": None}
    values["now"] = call.desk.services.clock.now()
    try:
        choice = call.desk.services.resolver.choose(Wish(provider=provider.id, folder=None))
    except DoorkeyError as error:
        return part("parts/models.html", problem=error_json(error), **values)
    values |= {"choice": choice, "listed": call.desk.services.models.of(choice)}
    return part("parts/models.html", problem=None, **values)


def can_serve(provider: Mapping[str, object]) -> bool:
    """Whether there is anything to list models with; an expired sign-in is offered for reconnecting instead."""
    return bool(provider["connected"] or (provider["env_key"] and not provider["accounts"]))
