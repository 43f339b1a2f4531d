"""The local page as an ASGI app: its routes as one table, behind the guard."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from doorkey.errors import DoorkeyError
from doorkey.service.services import ChatStores, Services
from doorkey.web.calls import Handler, endpoint
from doorkey.web.desk import Desk, Engine, Gate, Lock, Preview
from doorkey.web.guard import Guard
from doorkey.web.pages import api, audit, chats, connect, imports, launch, picker, settings, unlock
from doorkey.web.replies import on_crash, on_doorkey_error, on_http_error
from doorkey.web.stream import stream
from doorkey.web.views import HERE

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/launch", launch.launch),
    ("POST", "/unlock", unlock.open_vault),
    # Chats
    ("GET", "/", chats.new_chat),
    ("POST", "/chats", chats.start_chat),
    ("GET", "/chats/{id}", chats.show_chat),
    ("PATCH", "/chats/{id}", chats.rename_chat),
    ("DELETE", "/chats/{id}", chats.delete_chat),
    ("POST", "/chats/{id}/messages", chats.say),
    ("POST", "/runs/{id}/stop", chats.stop),
    ("POST", "/runs/{id}/resume", chats.resume),
    ("POST", "/runs/{id}/retry", chats.retry),
    ("POST", "/approvals/{id}", chats.decide),
    ("POST", "/bar", chats.choose),
    ("POST", "/bar/now", chats.show_bar),
    ("GET", "/picker", picker.picker),
    ("GET", "/picker/{provider}", picker.models),
    # Settings
    ("GET", "/settings", settings.providers),
    ("GET", "/settings/providers", settings.providers),
    ("GET", "/settings/appearance", settings.appearance),
    ("POST", "/settings/appearance", settings.choose_theme),
    ("GET", "/settings/audit", audit.audit),
    ("GET", "/settings/browsers", settings.browsers),
    ("DELETE", "/settings/browsers/{id}", settings.revoke_browser),
    ("POST", "/accounts/{id}/default", settings.make_default),
    ("GET", "/accounts/{id}/windows", settings.windows),
    ("GET", "/accounts/{id}/name", settings.ask_name),
    ("POST", "/accounts/{id}/name", settings.rename),
    ("GET", "/accounts/{id}/leave", settings.ask_to_leave),
    ("POST", "/accounts/{id}/leave", settings.leave),
    # The sign-in dialog
    ("POST", "/connect/{provider}", connect.connect),
    ("POST", "/connect/{provider}/key", connect.keep_key),
    ("GET", "/sign-ins/{id}", connect.watch),
    ("POST", "/sign-ins/{id}/reply", connect.reply),
    ("POST", "/sign-ins/{id}/retry", connect.try_again),
    ("POST", "/sign-ins/{id}/keep-other", connect.keep_other),
    ("DELETE", "/sign-ins/{id}", connect.cancel),
    ("POST", "/consents", connect.consent),
    ("GET", "/imports", imports.show),
    ("POST", "/imports", imports.take),
    # For programs
    ("GET", "/api/providers", api.providers),
    ("GET", "/api/accounts", api.accounts),
    ("GET", "/api/usage", api.usage),
    ("POST", "/api/unlock", unlock.open_vault),
    ("POST", "/api/sign-ins", api.start_sign_in),
    ("GET", "/api/sign-ins/{id}", api.show_sign_in),
    ("POST", "/api/sign-ins/{id}/reply", api.reply),
    ("POST", "/api/sign-ins/{id}/retry", api.try_again),
    ("POST", "/api/sign-ins/{id}/keep-other", api.keep_other),
    ("DELETE", "/api/sign-ins/{id}", api.cancel_sign_in),
    ("POST", "/api/keys", api.keep_key),
    ("POST", "/api/accounts/{id}/default", api.make_default),
    ("POST", "/api/accounts/{id}/name", api.rename),
    ("DELETE", "/api/accounts/{id}", api.disconnect),
    ("POST", "/api/consents", api.record_consent),
)


def build(
    services: Services,
    stores: ChatStores,
    engine: Engine,
    gate: Gate,
    *,
    lock: Lock,
    version: str,
    folder_check: Callable[[str], str],
    preview: Preview,
) -> Guard:
    """Make the app; serve it on 127.0.0.1 only, where the guard learns its port from the server."""
    app = Starlette(
        routes=[
            *(Route(path, endpoint(unlock.first(handler)), methods=[method]) for method, path, handler in ROUTES),
            Route("/runs/{id}/stream", stream),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        exception_handlers={DoorkeyError: on_doorkey_error, HTTPException: on_http_error, Exception: on_crash},
    )
    app.state.desk = Desk(
        services=services,
        stores=stores,
        engine=engine,
        gate=gate,
        lock=lock,
        version=version,
        folder_check=folder_check,
        preview=preview,
    )
    # Around the whole app, not as its middleware: the page for a mistake of ours is made outside of those.
    return Guard(app, stores.page_sessions)
