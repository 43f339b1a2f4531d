"""The token and revocation endpoints, one for each dialect."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorkey.sandbox import refusals
from doorkey.sandbox.clients import REGISTRATION_ID, Client, Dialect
from doorkey.sandbox.grants import Issued, redeem, revoke, rotate
from doorkey.sandbox.people import Account, stable_uuid
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Endpoint, Exchange, refuse_over_limit, served
from doorkey.sandbox.world import World

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"

_BODIES = {
    Dialect.PLAIN: (_FORM,),
    Dialect.PLAN: (_FORM,),
    Dialect.CODEX: (_FORM, _JSON),
    Dialect.CLAUDE: (_JSON,),
}
_REFUSERS = {
    Dialect.PLAIN: refusals.oauth,
    Dialect.PLAN: refusals.oauth_plan,
    Dialect.CODEX: refusals.oauth_codex,
    Dialect.CLAUDE: refusals.oauth,
}


def token_endpoint(dialect: Dialect) -> Endpoint:
    """Build the endpoint that exchanges codes and refresh tokens."""

    async def token(exchange: Exchange) -> Response:
        fields = await _fields(exchange.request, _BODIES[dialect])
        exchange.note.action = fields.get("grant_type")
        client = _client(exchange, dialect, fields)
        refuse_over_limit(exchange, None)
        if exchange.meets("revoked_grant") and revoke(exchange.world, client, fields.get("refresh_token", "")) is None:
            raise Refusal("invalid_grant", "the sign-in was revoked, as you asked")
        issued = _grant(exchange.world, client, fields)
        exchange.named(issued.grant, "refresh_token" if "refresh_token" in fields else "code")
        return JSONResponse(_reply(exchange.world, issued))

    return served("token", token, _REFUSERS[dialect])


def revocation_endpoint(*dialects: Dialect) -> Endpoint:
    """Build the endpoint that revokes; the first dialect decides how it is spoken to."""
    bodies = (_JSON,) if dialects[0] is Dialect.CODEX else (_FORM,)

    async def revocation(exchange: Exchange) -> Response:
        fields = await _fields(exchange.request, bodies)
        exchange.note.action = "revoke"
        # Codex sends its client id only along with a refresh token (protocols 2.2).
        unnamed = dialects[0] is Dialect.CODEX and "client_id" not in fields
        client = None if unnamed else _any_client(exchange, dialects, fields)
        if "token" not in fields:
            raise Refusal("invalid_request", "token is missing")
        grant = revoke(exchange.world, client, fields["token"])
        if grant is not None:
            exchange.named(grant, fields.get("token_type_hint", "token"))
        return Response(status_code=200)

    return served("revoke", revocation, _REFUSERS[dialects[0]])


def _grant(world: World, client: Client, fields: dict[str, str]) -> Issued:
    grant_type = fields.get("grant_type")
    if grant_type == "refresh_token":
        return rotate(world, client, fields)
    if grant_type != "authorization_code":
        code = "unsupported_grant_type" if grant_type else "invalid_request"
        raise Refusal(code, "grant_type must be authorization_code or refresh_token")
    if client.dialect is Dialect.CLAUDE and not fields.get("state"):
        raise Refusal("oauth_request_parse_error", "state is missing from the request")
    return redeem(world, client, fields)


def _client(exchange: Exchange, dialect: Dialect, fields: dict[str, str]) -> Client:
    return _any_client(exchange, (dialect,), fields)


def _any_client(exchange: Exchange, dialects: tuple[Dialect, ...], fields: dict[str, str]) -> Client:
    client_id = fields.get("client_id", "")
    exchange.note.client = client_id or None
    if "client_secret" in fields or "authorization" in exchange.request.headers:
        raise Refusal("invalid_client", "these clients are public and have no secret", status=401)
    client = exchange.world.client(client_id)
    if client is None or client.dialect not in dialects or client_id == REGISTRATION_ID:
        raise Refusal("invalid_client", "no such client at this endpoint", status=401)
    return client


async def _fields(request: Request, allowed: tuple[str, ...]) -> dict[str, str]:
    """Read a flat body: every parameter once, nothing in the query (RFC 6749, 3.2)."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in allowed:
        raise Refusal("invalid_request", f"the body must be {' or '.join(allowed)}")
    if request.url.query:
        raise Refusal("invalid_request", "parameters belong into the body")
    try:
        text = (await request.body()).decode()
        pairs = _READERS[content_type](text)
    except ValueError:
        raise Refusal("invalid_request", "the body cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refusal("invalid_request", "a parameter is repeated")
    return fields


def _form_pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))


def _json_pairs(text: str) -> list[tuple[str, str]]:
    # An object becomes a tuple of its pairs, so that a repeated name is not lost.
    pairs: Any = json.loads(text, object_pairs_hook=tuple)
    if not isinstance(pairs, tuple) or not all(isinstance(value, str) for _, value in pairs):
        raise ValueError("not a flat object of strings")
    return list(pairs)


_READERS: dict[str, Callable[[str], list[tuple[str, str]]]] = {_FORM: _form_pairs, _JSON: _json_pairs}


def _reply(world: World, issued: Issued) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": world.token_lifetime,
        "scope": issued.scope,
    }
    if issued.refresh_token is not None:
        reply["refresh_token"] = issued.refresh_token
    if "openid" in issued.scope.split():
        reply["id_token"] = world.signer.id_token(issued.grant, world.clock())
    if issued.grant.dialect is Dialect.PLAN:
        earliest = datetime.fromtimestamp(world.clock() + world.token_lifetime / 2, UTC)
        reply["earliest_refresh_at"] = earliest.isoformat(timespec="seconds")
    if issued.grant.dialect is Dialect.CLAUDE:
        reply |= _claude_identity(issued.grant.account)
    return reply


def _claude_identity(account: Account) -> dict[str, Any]:
    return {
        "organization": {"uuid": account.workspace.id, "name": account.workspace.title},
        "account": {"uuid": stable_uuid(account.subject), "email_address": account.email},
    }
