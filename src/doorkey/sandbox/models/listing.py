"""Which models there are, in the list shape of whoever asks."""

from typing import Any

from starlette.responses import JSONResponse, Response

from doorkey.sandbox import refusals
from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.models.access import caller
from doorkey.sandbox.models.messages import check_anthropic_headers
from doorkey.sandbox.persona import MODELS
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange

_CREATED = 1_780_000_000
_CREATED_AT = "2026-05-28T20:26:40Z"


async def list_models(exchange: Exchange) -> Response:
    """List the models: OpenAI's shape, the plan's for plan tokens, Anthropic's where its version is sent."""
    exchange.note.action = "models"
    if "anthropic-version" in exchange.request.headers:
        exchange.refuse = refusals.anthropic
        who = caller(exchange, None, Dialect.PLAIN, Dialect.CLAUDE)
        check_anthropic_headers(exchange.request, who)
        return JSONResponse(_anthropic_list())
    who = caller(exchange, None, Dialect.PLAIN, Dialect.PLAN, Dialect.ROUTER)
    return JSONResponse(_plan_list() if who.dialect is Dialect.PLAN else _openai_list())


async def list_codex_models(exchange: Exchange) -> Response:
    """List the models of the Codex backend, which wants to know the client's version (protocols 2.7)."""
    exchange.note.action = "models"
    caller(exchange, Dialect.CODEX)
    if "client_version" not in exchange.request.query_params:
        raise Refusal("missing_client_version", "client_version is missing")
    return JSONResponse(_plan_list())


def _openai_list() -> dict[str, Any]:
    models = [{"id": slug, "object": "model", "created": _CREATED, "owned_by": "practice"} for slug in MODELS]
    return {"object": "list", "data": models}


def _plan_list() -> dict[str, Any]:
    listed = [{"slug": slug, "display_name": title, "visibility": "list"} for slug, title in MODELS.items()]
    hidden = {"slug": "practice-hidden", "display_name": "Practice Hidden", "visibility": "hide"}
    return {"models": [*listed, hidden]}


def _anthropic_list() -> dict[str, Any]:
    models = [
        {"type": "model", "id": slug, "display_name": title, "created_at": _CREATED_AT}
        for slug, title in MODELS.items()
    ]
    return {"data": models, "has_more": False, "first_id": models[0]["id"], "last_id": models[-1]["id"]}
