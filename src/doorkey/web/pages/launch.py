"""The way in: a one-time token becomes a cookie, and the page's script keeps the key that came in the fragment."""

from base64 import urlsafe_b64encode

from starlette.responses import Response

from doorkey.domain.secret import Secret
from doorkey.errors import RequestRefused
from doorkey.web.calls import Call
from doorkey.web.guard import COOKIE
from doorkey.web.views import page

THIRTY_DAYS = 30 * 24 * 3600


def launch(call: Call) -> Response:
    """Let a browser in, once for each token."""
    key = call.desk.gate.redeem(call.query("token") or "")
    if key is None:
        raise RequestRefused("This link was used already, or is too old.")
    cookie = Secret(urlsafe_b64encode(call.desk.services.entropy.bytes(32)).decode().rstrip("="))
    call.desk.stores.page_sessions.add(cookie, key, _browser(call.request.headers.get("user-agent", "")))
    answer = page(call.request, "pages/launch.html")
    answer.set_cookie(COOKIE, cookie.reveal(), max_age=THIRTY_DAYS, path="/", httponly=True, samesite="strict")
    return answer


def _browser(user_agent: str) -> str:
    """Name a browser as a person would."""
    # Edge also calls itself Chrome, and Chrome calls itself Safari.
    known = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome or Chromium", "Safari/": "Safari"}
    return next((name for mark, name in known.items() if mark in user_agent), "A browser")
