"""Settings: the AI Providers page, how the page looks, and which browsers may use it."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from doorkey.errors import Misconfigured
from doorkey.service.accounts import Farewell
from doorkey.service.listing import error_json
from doorkey.web.calls import Call
from doorkey.web.pages.chats import frame
from doorkey.web.pages.picker import can_serve
from doorkey.web.views import page, part

THEMES = ("system", "light", "dark")


def providers(call: Call) -> Response:
    """Show a card for each provider, those first that something can be done with now."""
    services = call.desk.services
    services.meters.settle()
    listed = services.listing.providers(services.neighbours.running())
    return page(
        call.request,
        "pages/providers.html",
        providers=sorted(listed, key=_urgency),
        problems=services.catalog.problems(),
        windows=_windows(call),
        place="providers",
        **frame(call),
    )


def _urgency(provider: Mapping[str, object]) -> tuple[bool, bool, bool, bool]:
    """Sort what serves before what could, and what is not even on this machine to the end."""
    runs = provider["running"]
    return (not can_serve(provider), not provider["accounts"], runs is False, runs is not True)


def windows(call: Call) -> Response:
    """Show how much of an account is used, after asking its provider where that is due: somebody looks."""
    services = call.desk.services
    account = services.book.find(call.path("id"))
    services.meters.look(account)
    read = _windows(call).get(account.id, [])
    return part(
        "parts/windows.html", account_id=account.id, windows=read, asks=False, now=call.desk.services.clock.now()
    )


def _windows(call: Call) -> dict[str, Any]:
    services = call.desk.services
    return {entry["account"]: entry["windows"] for entry in services.listing.windows(services.meters.known())}


def ask_name(call: Call) -> Response:
    """Ask for another name for an account."""
    account = call.desk.services.book.find(call.path("id"))
    return part("parts/rename.html", account=account, name=account.name or "", error=None)


def rename(call: Call) -> Response:
    """Give an account another name; one that cannot be is said so in the dialog."""
    book = call.desk.services.book
    account, name = book.find(call.path("id")), call.text("name") or ""
    try:
        book.rename(account, name)
    except Misconfigured as error:
        return part("parts/rename.html", account=account, name=name, error=error_json(error))
    return Response(status_code=204, headers={"HX-Trigger": "accounts-changed,dialog-done"})


def appearance(call: Call) -> Response:
    """Show how the page can look."""
    return page(call.request, "pages/appearance.html", themes=THEMES, place="appearance", **frame(call))


def choose_theme(call: Call) -> Response:
    """Remember a theme and show the page in it."""
    theme = call.need("theme")
    if theme not in THEMES:
        raise HTTPException(400, "There is no such theme.")
    call.desk.stores.preferences.set("theme", theme)
    return Response(status_code=204, headers={"HX-Refresh": "true"})


def browsers(call: Call) -> Response:
    """Show the browsers that may use the page."""
    sessions = call.desk.stores.page_sessions.all()
    return page(call.request, "pages/browsers.html", sessions=sessions, place="browsers", **frame(call))


def revoke_browser(call: Call) -> Response:
    """Shut one browser out."""
    call.desk.stores.page_sessions.revoke(call.path("id"))
    return browsers(call)


def make_default(call: Call) -> Response:
    """Let an account serve its provider when none is asked for."""
    call.desk.services.book.use(call.desk.services.book.find(call.path("id")))
    return providers(call)


def ask_to_leave(call: Call) -> Response:
    """Ask how far a disconnect should reach."""
    account = call.desk.services.book.find(call.path("id"))
    can_revoke = call.desk.services.book.can_revoke(account)
    provider = call.desk.services.catalog.provider(account.provider)
    return part("parts/leave.html", account=account, provider=provider, can_revoke=can_revoke)


def leave(call: Call) -> Response:
    """Disconnect an account here, and at the provider where the person asked for that."""
    account = call.desk.services.book.find(call.path("id"))
    farewell = call.desk.services.book.leave(account, revoke_too=call.text("revoke") is not None)
    message, hint = _goodbye(farewell)
    tone = "warn" if farewell.unconfirmed else "good"
    changed = {"HX-Trigger": "accounts-changed,dialog-done"}
    return part("parts/toast.html", headers=changed, message=message, hint=hint, tone=tone)


def _goodbye(farewell: Farewell) -> tuple[str, str]:
    label = farewell.account.label
    if farewell.unconfirmed:
        return f"{label} is forgotten here, but its end was not confirmed.", farewell.unconfirmed.hint
    if farewell.revoked:
        return f"{label} is disconnected, here and at the provider.", ""
    return f"{label} is forgotten here.", "The provider may still list the sign-in; end it there if you want to."
