"""The practice provider as an ASGI app: its routes as one table."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from doorkey.sandbox import control, device, discovery, refusals, router
from doorkey.sandbox.authorize import (
    authorization_endpoint,
    authorize_router,
    continue_sign_in,
    show_code,
    show_sign_in,
)
from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.faults import Faults
from doorkey.sandbox.guard import Guard, is_loopback
from doorkey.sandbox.log import Log
from doorkey.sandbox.models.chat import create_chat_completion
from doorkey.sandbox.models.listing import list_codex_models, list_models
from doorkey.sandbox.models.messages import create_message
from doorkey.sandbox.models.responses import create_codex_response, create_response
from doorkey.sandbox.models.usage import show_claude_usage, show_codex_usage
from doorkey.sandbox.pages import HERE
from doorkey.sandbox.served import served
from doorkey.sandbox.storage import Ledger
from doorkey.sandbox.token import revocation_endpoint, token_endpoint
from doorkey.sandbox.usage import Meter, clear_usage, set_usage
from doorkey.sandbox.world import World

PLAIN, PLAN, CODEX, CLAUDE = Dialect.PLAIN, Dialect.PLAN, Dialect.CODEX, Dialect.CLAUDE

ROUTES: tuple[BaseRoute, ...] = (
    Route("/.well-known/openid-configuration", discovery.metadata),
    Route("/.well-known/oauth-authorization-server", discovery.metadata),
    Route("/jwks.json", discovery.jwks),

    Route("/authorize", authorization_endpoint(PLAIN)),
    Route("/api/accounts/authorize", authorization_endpoint(PLAN)),
    Route("/oauth/authorize", authorization_endpoint(CODEX)),
    Route("/claude/authorize", authorization_endpoint(CLAUDE)),
    Route("/auth", authorize_router),
    Route("/sign-in/{key}", show_sign_in),
    Route("/sign-in/{key}", continue_sign_in, methods=["POST"]),
    Route("/oauth/code/callback", show_code),

    Route("/token", token_endpoint(PLAIN), methods=["POST"]),
    Route("/api/accounts/oauth/token", token_endpoint(PLAN), methods=["POST"]),
    Route("/oauth/token", token_endpoint(CODEX), methods=["POST"]),
    Route("/claude/token", token_endpoint(CLAUDE), methods=["POST"]),
    Route("/device_authorization", served("token", device.start_device_login, refusals.oauth), methods=["POST"]),
    Route("/device", device.show_device),
    Route("/device", device.enter_device, methods=["POST"]),
    Route("/device/done", device.finish_device),
    Route(
        "/api/accounts/deviceauth/usercode",
        served("token", device.start_codex_login, refusals.oauth_codex),
        methods=["POST"],
    ),
    Route(
        "/api/accounts/deviceauth/token",
        served("token", device.poll_codex_login, refusals.oauth_codex),
        methods=["POST"],
    ),
    Route("/codex/device", device.show_device),
    Route("/deviceauth/callback", device.finish_device),
    Route("/revoke", revocation_endpoint(PLAIN, PLAN), methods=["POST"]),
    Route("/oauth/revoke", revocation_endpoint(CODEX), methods=["POST"]),

    Route("/api/v1/auth/keys", served("token", router.exchange_code_for_key, router.refuse), methods=["POST"]),
    Route("/api/v1/models", served("model", list_models, refusals.openai, answers=False)),
    Route("/api/v1/chat/completions", served("model", create_chat_completion, refusals.openai), methods=["POST"]),

    Route("/v1/models", served("model", list_models, refusals.openai, answers=False)),
    Route("/v1/responses", served("model", create_response, refusals.openai), methods=["POST"]),
    Route("/v1/chat/completions", served("model", create_chat_completion, refusals.openai), methods=["POST"]),
    Route("/v1/messages", served("model", create_message, refusals.anthropic), methods=["POST"]),
    Route("/backend-api/codex/models", served("model", list_codex_models, refusals.codex, answers=False)),
    Route("/backend-api/codex/responses", served("model", create_codex_response, refusals.codex), methods=["POST"]),
    Route("/backend-api/wham/usage", served("model", show_codex_usage, refusals.codex, answers=False)),
    Route("/api/oauth/usage", served("model", show_claude_usage, refusals.anthropic, answers=False)),

    Route("/", control.home),
    Route("/faults", control.press_fault, methods=["POST"]),
    Route("/keys", control.show_keys),
    Route("/keys", control.change_keys, methods=["POST"]),
    Route("/sandbox/health", control.health),
    Route("/sandbox/faults", control.list_faults),
    Route("/sandbox/faults", control.add_fault, methods=["POST"]),
    Route("/sandbox/faults", control.clear_faults, methods=["DELETE"]),
    Route("/sandbox/usage", set_usage, methods=["PUT"]),
    Route("/sandbox/usage", clear_usage, methods=["DELETE"]),
    Route("/sandbox/log", control.show_log),
    Route("/sandbox/log", control.clear_log, methods=["DELETE"]),
    Mount("/static", StaticFiles(directory=HERE / "static")),
)  # fmt: skip


class Sandbox:
    """A practice provider at a loopback address: `app` serves it, `faults` break it, `log` tells what it served.

    `clock` gives epoch seconds and `token_lifetime` is in seconds; `pace` is the least number of seconds between two
    pieces of a streamed answer. Raises ValueError for an address that is not on this machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        state_file: Path | None = None,
        clock: Callable[[], float] = time.time,
        token_lifetime: int = 3600,
        pace: float = 0.0,
    ) -> None:
        base_url = base_url.rstrip("/")
        if not (base_url.startswith("http://") and is_loopback(base_url.removeprefix("http://"))):
            raise ValueError("a practice provider lives on a loopback address only")
        self.base_url = base_url
        self._world = World(
            base_url=base_url, clock=clock, token_lifetime=token_lifetime, pace=pace, ledger=Ledger(state_file)
        )
        starlette = Starlette(routes=ROUTES, middleware=[Middleware(Guard, world=self._world)])
        starlette.state.world = self._world
        self.app: ASGIApp = starlette

    @property
    def faults(self) -> Faults:
        """The faults that wait to happen."""
        return self._world.faults

    @property
    def meter(self) -> Meter:
        """What is told of how much is used."""
        return self._world.meter

    @property
    def log(self) -> Log:
        """What was served."""
        return self._world.log

    def make_key(self) -> str:
        """Make a practice API key, as the button on `/keys` does."""
        return self._world.make_key()

    def close(self) -> None:
        """Close the state file."""
        self._world.ledger.close()
