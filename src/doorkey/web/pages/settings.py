"""Settings: the AI Providers page, how the page looks, and which browsers may use it."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from doorkey.service.accounts import Farewell
from doorkey.web.calls import Call
from doorkey.web.pages.chats import frame
from doorkey.web.pages.picker import can_serve
from doorkey.web.views import page, part

THEMES = ("system", "light", "dark")


def providers(call: Call) -> Response:
    """Show a card for each provider, those first that something can be done with now."""
    services = call.desk.services
    listed = services.listing.providers(services.neighbours.running())
    return page(
        call.request,
        "pages/providers.html",
        providers=sorted(listed, key=_urgency),
        problems=services.catalog.problems(),
        place="providers",
        **frame(call),
    )


def _urgency(provider: Mapping[str, object]) -> tuple[bool, bool, bool, bool]:
    """Sort what serves before what could, and what is not even on this machine to the end."""
    runs = provider["running"]
    return (not can_serve(provider), not provider["accounts"], runs is False, runs is not True)


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
