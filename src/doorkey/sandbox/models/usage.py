"""The usage pages of Codex and of Claude."""

from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.models.access import caller
from doorkey.sandbox.served import Exchange


async def show_codex_usage(exchange: Exchange) -> Response:
    """Serve `GET /backend-api/wham/usage`."""
    exchange.note.action = "usage"
    caller(exchange, Dialect.CODEX)
    return JSONResponse(exchange.world.meter.codex_page(exchange.world.clock()))


async def show_claude_usage(exchange: Exchange) -> Response:
    """Serve `GET /api/oauth/usage`."""
    exchange.note.action = "usage"
    caller(exchange, Dialect.CLAUDE)
    return JSONResponse(exchange.world.meter.claude_page(exchange.world.clock()))
