"""The passphrase of the vault, asked for in the place of whatever page was wanted."""

from functools import wraps
from math import ceil

from starlette.responses import Response

from doorkey.errors import KeyUnreadable, PassphraseNeeded, Temporary
from doorkey.service.listing import error_json
from doorkey.web.calls import Call, Handler
from doorkey.web.replies import refuse, status_of
from doorkey.web.views import is_htmx, page, part

WITHOUT = ("/launch", "/api/")


def first(handler: Handler) -> Handler:
    """Let a page wait until the vault is open, where all that it lacks is its passphrase."""

    @wraps(handler)
    def answer(call: Call) -> Response:
        shows = call.request.method == "GET" and not call.request.url.path.startswith(WITHOUT)
        if shows and isinstance(call.desk.lock.problem(), PassphraseNeeded):
            return _ask(call)
        return handler(call)

    return answer


def open_vault(call: Call) -> Response:
    """Try a passphrase; the page that was wanted is loaded anew when it is the right one."""
    try:
        call.desk.lock.unlock(call.secret("passphrase"))
    except (KeyUnreadable, Temporary) as error:
        return _refused(call, error)
    return Response(status_code=204, headers={"HX-Refresh": "true"})


def _refused(call: Call, error: KeyUnreadable | Temporary) -> Response:
    """Say what was wrong, and for how long nothing more is tried."""
    status = 422 if isinstance(error, KeyUnreadable) else status_of(error)
    wait = ceil(call.desk.lock.wait.total_seconds())
    if call.request.url.path.startswith("/api/"):
        answer = refuse(call.request, error, status)
    else:
        answer = part("parts/locked.html", status, error=error_json(error), wait=wait)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _ask(call: Call) -> Response:
    if is_htmx(call.request):
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return page(call.request, "pages/unlock.html", theme=call.desk.stores.preferences.get("theme") or "system")
