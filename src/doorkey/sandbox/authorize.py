"""Signing in: the request is checked, a person is chosen, and the person allows or denies."""

import secrets
from dataclasses import replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorkey.sandbox.asked import Asked, NoWayBack, Target, read_asked, read_router_asked, read_target
from doorkey.sandbox.bodies import page_form
from doorkey.sandbox.clients import PLAN_USE, Client, Dialect
from doorkey.sandbox.grants import allow
from doorkey.sandbox.log import Note
from doorkey.sandbox.pages import page
from doorkey.sandbox.people import PEOPLE, Person, account, invented
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Endpoint
from doorkey.sandbox.world import Pending, World, world_of

_PENDING_LIFETIME = 600

# What `resource.invoke` and plan use mean is one question of its own: the page's checkbox.
SCOPE_WORDS = {
    "openid": "know which account this is",
    "profile": "see your name",
    "email": "see your e-mail address",
    "offline_access": "stay signed in until you disconnect it",
    "models": "send messages to the practice models",
    "api.connectors.read": "see your connectors",
    "api.connectors.invoke": "use your connectors",
    "org:create_api_key": "make API keys for your organization",
    "user:profile": "see your name and e-mail address",
    "user:inference": "send messages to the practice models on your plan",
    "user:sessions:claude_code": "keep coding sessions",
    "user:mcp_servers": "use your connected servers",
    "user:file_upload": "upload files",
}


def authorization_endpoint(dialect: Dialect) -> Endpoint:
    """Build the endpoint that a client sends the browser to."""

    async def authorize(request: Request) -> Response:
        world = world_of(request)
        try:
            target = read_target(world.client, dialect, request.query_params)
        except NoWayBack as problem:
            return page("problem.html", {"title": "This sign-in cannot start", "problem": str(problem)}, status=400)
        try:
            asked = read_asked(target, request.query_params)
        except Refusal as refusal:
            return _send_back(world, target, {"error": refusal.code, "error_description": refusal.message})
        return RedirectResponse(f"/sign-in/{remember(world, asked)}", 303)

    return authorize


async def authorize_router(request: Request) -> Response:
    """Take a browser that no registered app has sent: the address that it came with is all that is known."""
    world = world_of(request)
    try:
        asked = read_router_asked(request.query_params)
    except NoWayBack as problem:
        return page("problem.html", {"title": "This sign-in cannot start", "problem": str(problem)}, status=400)
    return RedirectResponse(f"/sign-in/{remember(world, asked)}", 303)


def remember(world: World, asked: Asked) -> str:
    """Keep a request until a person answers it; gives the key of its page."""
    now = world.clock()
    world.pending = {key: pending for key, pending in world.pending.items() if pending.expires_at > now}
    key = secrets.token_urlsafe(32)
    world.pending[key] = Pending(asked, now + _PENDING_LIFETIME)
    return key


def _find(world: World, request: Request) -> Pending | None:
    pending = world.pending.get(request.path_params["key"])
    return pending if pending and pending.expires_at > world.clock() else None


async def show_sign_in(request: Request) -> Response:
    """Show the step that a sign-in has reached: whose account, then what is asked."""
    world = world_of(request)
    pending = _find(world, request)
    if pending is None:
        return _over()
    return _consent(pending) if pending.person else _choose(world, pending)


async def continue_sign_in(request: Request) -> Response:
    """Take the answer to the step that was shown."""
    world = world_of(request)
    pending = _find(world, request)
    if pending is None:
        return _over()
    fields = await page_form(request)
    if pending.person is None:
        pending.person = _chosen(fields)
        if pending.person is None:
            return _choose(world, pending, problem="Type a name and an e-mail address, or choose somebody above.")
        return RedirectResponse(request.url.path, 303)
    if fields.get("decision") == "back":
        pending.person = None
        return RedirectResponse(request.url.path, 303)
    if fields.get("decision") not in {"allow", "deny"}:
        return _consent(pending)
    del world.pending[request.path_params["key"]]
    return _decide(world, pending.asked, pending.person, fields)


def _over() -> Response:
    problem = "It was already answered, or more than ten minutes have passed. Start again in the app."
    return page("problem.html", {"title": "This sign-in is over", "problem": problem}, status=404)


def _choose(world: World, pending: Pending, problem: str | None = None) -> Response:
    asked = pending.asked
    hinted = world.signer.subject_of(asked.id_token_hint) if asked.id_token_hint else None
    preferred = next(
        (person for person in PEOPLE if person.subject == hinted or person.email == asked.login_hint), PEOPLE[0]
    )
    values = {"app": asked.target.client.name, "people": PEOPLE, "preferred": preferred, "problem": problem}
    return page("choose.html", values, status=422 if problem else 200)


def _chosen(fields: dict[str, str]) -> Person | None:
    if fields.get("person") == "other":
        return invented(fields.get("name", ""), fields.get("email", ""))
    return next((person for person in PEOPLE if person.subject == fields.get("person")), None)


def _consent(pending: Pending) -> Response:
    asked = pending.asked
    values = {
        "app": asked.target.client.name,
        "person": pending.person,
        "wishes": [SCOPE_WORDS[scope] for scope in asked.scope if scope in SCOPE_WORDS],
        "plan_use": PLAN_USE in asked.scope,
        "registers": asked.registers,
    }
    return page("consent.html", values, returns_to=asked.target.redirect_uri)


def _decide(world: World, asked: Asked, person: Person, fields: dict[str, str]) -> Response:
    client = asked.target.client
    if fields["decision"] == "deny":
        denied = {"error": "access_denied", "error_description": "the person said no"}
        return _send_back(world, asked.target, denied, person)
    if asked.registers:
        client = replace(client, id=f"oaiapp_{secrets.token_hex(12)}")
    shares = person.shares_plan and fields.get("plan_use") == "on"
    scope = [name for name in asked.scope if name != PLAN_USE or shares]
    code = allow(world, asked, client, account(person, fields.get("workspace")), scope)
    answer = {"code": code}
    if client.dialect is Dialect.PLAN:
        answer |= {"client_id": client.id, "scope": " ".join(scope)}
    return _send_back(world, asked.target, answer, person, client)


def _send_back(
    world: World,
    target: Target,
    answer: dict[str, str],
    person: Person | None = None,
    client: Client | None = None,
) -> Response:
    """Redirect with `state` and `iss`, on errors too (RFC 9207)."""
    client = client or target.client
    world.log.add(
        Note(
            at=world.clock(),
            endpoint="authorize",
            action="authorize",
            client=client.id,
            account=person.name if person else None,
            outcome=answer.get("error", "ok"),
        )
    )
    state = {"state": target.state} if target.state else {}
    # A router knows neither: the path of the address has to tell (protocols 4).
    known = {} if client.dialect is Dialect.ROUTER else {**state, "iss": world.base_url}
    return RedirectResponse(f"{target.redirect_uri}?{urlencode({**answer, **known})}", 303)


async def show_code(request: Request) -> Response:
    """Show `code#state` to be copied into a program that has no listener (protocols 3.1)."""
    code, state = request.query_params.get("code"), request.query_params.get("state")
    if not code or not state:
        problem = request.query_params.get("error_description", "The address carries no code.")
        return page("problem.html", {"title": "Nothing to copy", "problem": problem}, status=400)
    return page("code.html", {"reply": f"{code}#{state}"})
