"""A router's sign-in: a code and its verifier are exchanged for a key that lasts (protocols 4)."""

import hmac
import secrets

from starlette.responses import JSONResponse, Response

from doorkey.sandbox.bodies import JSON, read_fields
from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.grants import s256
from doorkey.sandbox.people import stable_uuid
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange
from doorkey.sandbox.storage import Grant, Token
from doorkey.sandbox.world import World

_FIELDS = {"code", "code_verifier", "code_challenge_method"}
_FOR_EVER = 1e12


async def exchange_code_for_key(exchange: Exchange) -> Response:
    """Give a key for a code, once; the verifier has to fit."""
    exchange.note.action = "key"
    fields = await read_fields(exchange.request, (JSON,))
    if set(fields) != _FIELDS or fields["code_challenge_method"] != "S256":
        raise Refusal("bad_request", "send code, code_verifier and code_challenge_method=S256")
    world = exchange.world
    grant = _redeem(world, fields)
    exchange.named(grant, "code")
    key = f"sandbox-router-{secrets.token_urlsafe(32)}"
    world.ledger.add_access(key, Token(grant_id=grant.id, scope="", expires_at=_FOR_EVER, spent=False))
    return JSONResponse({"key": key, "user_id": f"user_{stable_uuid(grant.account.subject)}"})


def refuse(refusal: Refusal) -> JSONResponse:
    """Answer as OpenRouter does: the code of an error is its status."""
    error = {"code": refusal.status, "message": refusal.message}
    return JSONResponse({"error": error}, refusal.status, refusal.headers)


def _redeem(world: World, fields: dict[str, str]) -> Grant:
    with world.ledger.transaction():
        code = world.ledger.take_code(fields["code"])
    if code is None or code.used or world.clock() >= code.expires_at:
        raise Refusal("forbidden", "the code is not valid", status=403)
    grant = world.ledger.grant(code.grant_id)
    if grant.dialect is not Dialect.ROUTER or not hmac.compare_digest(s256(fields["code_verifier"]), code.challenge):
        raise Refusal("forbidden", "the code or its verifier is not valid", status=403)
    return grant
