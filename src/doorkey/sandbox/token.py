"""The token and revocation endpoints, one for each dialect."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from doorkey.sandbox import device, refusals
from doorkey.sandbox.bodies import FORM, JSON, public_client, read_fields
from doorkey.sandbox.clients import Client, Dialect
from doorkey.sandbox.grants import Issued, redeem, revoke, rotate
from doorkey.sandbox.people import Account, stable_uuid
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Endpoint, Exchange, refuse_over_limit, served
from doorkey.sandbox.world import World

_BODIES = {
    Dialect.PLAIN: (FORM,),
    Dialect.PLAN: (FORM,),
    Dialect.CODEX: (FORM, JSON),
    Dialect.CLAUDE: (JSON,),
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
        fields = await read_fields(exchange.request, _BODIES[dialect])
        exchange.note.action = fields.get("grant_type")
        client = public_client(exchange, fields, dialect)
        refuse_over_limit(exchange, None)
        if exchange.meets("revoked_grant") and revoke(exchange.world, client, fields.get("refresh_token", "")) is None:
            raise Refusal("invalid_grant", "the sign-in was revoked, as you asked")
        issued = _grant(exchange.world, client, fields)
        exchange.named(issued.grant, "refresh_token" if "refresh_token" in fields else "code")
        return JSONResponse(_reply(exchange.world, issued))

    return served("token", token, _REFUSERS[dialect])


def revocation_endpoint(*dialects: Dialect) -> Endpoint:
    """Build the endpoint that revokes; the first dialect decides how it is spoken to."""
    bodies = (JSON,) if dialects[0] is Dialect.CODEX else (FORM,)

    async def revocation(exchange: Exchange) -> Response:
        fields = await read_fields(exchange.request, bodies)
        exchange.note.action = "revoke"
        # Codex sends its client id only along with a refresh token (protocols 2.2).
        unnamed = dialects[0] is Dialect.CODEX and "client_id" not in fields
        client = None if unnamed else public_client(exchange, fields, *dialects)
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
    if grant_type == device.GRANT_TYPE and client.dialect is Dialect.PLAIN:
        return redeem(world, client, device.finished(world, client, fields.get("device_code", "")))
    if grant_type != "authorization_code":
        code = "unsupported_grant_type" if grant_type else "invalid_request"
        raise Refusal(code, "grant_type must be one of those in the server's metadata")
    if client.dialect is Dialect.CLAUDE and not fields.get("state"):
        raise Refusal("oauth_request_parse_error", "state is missing from the request")
    return redeem(world, client, fields)


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
