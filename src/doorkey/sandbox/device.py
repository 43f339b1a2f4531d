"""Signing in from a device without a browser: RFC 8628, and Codex's own way (protocols 2.3).

The sandbox plays the client of an ordinary sign-in: it holds the verifier, receives the code at a page of its own,
and the device that polls gets what came of it.
"""

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from doorkey.sandbox.asked import Asked, Target, read_scope
from doorkey.sandbox.authorize import remember
from doorkey.sandbox.bodies import FORM, JSON, page_form, public_client, read_fields
from doorkey.sandbox.clients import Client, Dialect
from doorkey.sandbox.grants import s256
from doorkey.sandbox.pages import page
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange
from doorkey.sandbox.world import DeviceLogin, World, world_of

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

# Without vowels, so that no code is a word (RFC 8628, 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LIFETIME = 600
_CODEX_LIFETIME = 900
_FIRST_INTERVAL = 1.0


async def start_device_login(exchange: Exchange) -> Response:
    """Hand out a device code and the code that a person types (RFC 8628, 3.2)."""
    fields = await read_fields(exchange.request, (FORM,))
    exchange.note.action = "device_authorization"
    client = public_client(exchange, fields, Dialect.PLAIN)
    device_code, login = _begin(exchange.world, client, read_scope(client, fields.get("scope", "")), _LIFETIME)
    address = f"{exchange.world.base_url}/device"
    return JSONResponse(
        {
            "device_code": device_code,
            "user_code": login.user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={login.user_code}",
            "expires_in": _LIFETIME,
            "interval": int(login.interval),
        }
    )


async def start_codex_login(exchange: Exchange) -> Response:
    """Hand out the two codes as Codex's server does; its interval is a text."""
    fields = await read_fields(exchange.request, (JSON,))
    exchange.note.action = "device_authorization"
    client = public_client(exchange, fields, Dialect.CODEX)
    scope = ("openid", "profile", "email", "offline_access")
    device_code, login = _begin(exchange.world, client, scope, _CODEX_LIFETIME)
    return JSONResponse(
        {"device_auth_id": device_code, "user_code": login.user_code, "interval": str(int(login.interval))}
    )


async def poll_codex_login(exchange: Exchange) -> Response:
    """Give the code and the verifier once the person has allowed; until then 403, and 404 when it is over."""
    fields = await read_fields(exchange.request, (JSON,))
    exchange.note.action = "device_poll"
    login = _find(exchange.world, fields.get("device_auth_id", ""))
    if login is None or login.user_code != fields.get("user_code") or (login.reply and "code" not in login.reply):
        raise Refusal("device_login_over", "the device sign-in is over", status=404)
    if login.reply is None:
        raise Refusal("authorization_pending", "nobody has typed the code yet", status=403)
    del exchange.world.devices[fields["device_auth_id"]]
    return JSONResponse(
        {
            "authorization_code": login.reply["code"],
            "code_challenge": s256(login.verifier),
            "code_verifier": login.verifier,
        }
    )


def finished(world: World, client: Client, device_code: str) -> dict[str, str]:
    """Give the fields that redeem the device's code, or refuse as RFC 8628, 3.5 says."""
    login = world.devices.get(device_code)
    if login is None or login.client.id != client.id:
        raise Refusal("invalid_grant", "the device code is unknown")
    now = world.clock()
    if now >= login.expires_at:
        raise Refusal("expired_token", "the device code has expired")
    too_soon = now < login.next_poll
    login.interval += 5 if too_soon else 0
    login.next_poll = now + login.interval
    if too_soon:
        raise Refusal("slow_down", "wait five seconds longer between two polls, from now on")
    if login.reply is None:
        raise Refusal("authorization_pending", "nobody has typed the code yet")
    del world.devices[device_code]
    if "code" not in login.reply:
        raise Refusal("access_denied", "the person said no")
    return {"code": login.reply["code"], "code_verifier": login.verifier, "redirect_uri": _done(world, client)}


async def show_device(request: Request) -> Response:
    """Ask for the code that the device shows; one in the address is filled in, never taken at once (RFC 8628, 5.4)."""
    return page("device.html", {"user_code": request.query_params.get("user_code", ""), "problem": None})


async def enter_device(request: Request) -> Response:
    """Take a typed code and go on to the sign-in."""
    world = world_of(request)
    typed = (await page_form(request)).get("user_code", "")
    wanted = "".join(letter for letter in typed.upper() if letter in _LETTERS)
    for device_code, login in list(world.devices.items()):
        if login.user_code.replace("-", "") == wanted and login.reply is None and _find(world, device_code):
            return RedirectResponse(f"/sign-in/{remember(world, _asked(world, login))}", 303)
    values = {"user_code": typed[:20], "problem": "No device waits with this code. Look again, or start again there."}
    return page("device.html", values, status=422)


async def finish_device(request: Request) -> Response:
    """Keep what came of a sign-in for the device that polls."""
    state = request.query_params.get("state", "")
    for login in world_of(request).devices.values():
        if login.reply is None and secrets.compare_digest(login.state.encode(), state.encode()):
            login.reply = dict(request.query_params)
            return page("device_done.html", {"allowed": "code" in login.reply, "app": login.client.name})
    problem = "Its device no longer waits. Start again there."
    return page("problem.html", {"title": "This sign-in is over", "problem": problem}, status=404)


def _begin(world: World, client: Client, scope: tuple[str, ...], lifetime: int) -> tuple[str, DeviceLogin]:
    now = world.clock()
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    login = DeviceLogin(
        client=client,
        scope=scope,
        user_code=f"{letters[:4]}-{letters[4:]}",
        state=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(32),
        expires_at=now + lifetime,
        interval=_FIRST_INTERVAL,
    )
    device_code = secrets.token_urlsafe(32)
    # An expired login stays for a while, so that the device is told `expired_token` and not `invalid_grant`.
    world.devices = {key: old for key, old in world.devices.items() if old.expires_at + _LIFETIME > now}
    world.devices[device_code] = login
    return device_code, login


def _find(world: World, device_code: str) -> DeviceLogin | None:
    login = world.devices.get(device_code)
    return login if login and login.expires_at > world.clock() else None


def _asked(world: World, login: DeviceLogin) -> Asked:
    target = Target(client=login.client, redirect_uri=_done(world, login.client), state=login.state)
    return Asked(target=target, scope=login.scope, challenge=s256(login.verifier))


def _done(world: World, client: Client) -> str:
    path = "/deviceauth/callback" if client.dialect is Dialect.CODEX else "/device/done"
    return world.base_url + path
