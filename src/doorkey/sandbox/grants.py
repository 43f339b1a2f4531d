"""The life of a grant: codes that work once, tokens that rotate, and what a replay ends."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from doorkey.sandbox.asked import Asked
from doorkey.sandbox.clients import Client, Dialect
from doorkey.sandbox.people import Account
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.storage import Code, Grant, Token
from doorkey.sandbox.world import World

_CODE_LIFETIME = 60
_REFRESH_LIFETIME = 30 * 24 * 3600

_PREFIXES = {
    Dialect.PLAIN: ("sandbox-at-", "sandbox-rt-"),
    Dialect.PLAN: ("sandbox-pat-", "sandbox-prt-"),
    Dialect.CODEX: ("", "sandbox-crt-"),
    Dialect.CLAUDE: ("sandbox-oat-", "sandbox-ort-"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a token endpoint hands over."""

    grant: Grant
    scope: str
    access_token: str
    refresh_token: str | None


def allow(world: World, asked: Asked, client: Client, account: Account, scope: Sequence[str]) -> str:
    """Record what a person allowed and give the code for it."""
    grant = Grant(
        id=str(uuid4()),
        client_id=client.id,
        dialect=client.dialect,
        account=account,
        scope=" ".join(scope),
        resource=asked.resource,
        nonce=asked.nonce,
    )
    code = Code(
        grant_id=grant.id,
        redirect_uri=asked.target.redirect_uri,
        challenge=asked.challenge,
        state=asked.target.state or "",
        expires_at=world.clock() + _CODE_LIFETIME,
    )
    secret = secrets.token_urlsafe(32)
    with world.ledger.transaction():
        if asked.registers:
            world.ledger.add_client(client)
        world.ledger.add_grant(grant)
        world.ledger.add_code(secret, code)
    return secret


def redeem(world: World, client: Client, fields: dict[str, str]) -> Issued:
    """Exchange a code. Whatever is wrong, the code is gone; a second use ends what the first one got."""
    with world.ledger.transaction():
        code = world.ledger.take_code(fields.get("code", ""))
    if code is None:
        raise Refusal("invalid_grant", "the code is unknown")
    grant = world.ledger.grant(code.grant_id)
    if code.used:
        world.ledger.end_grant(grant.id)
        raise Refusal("invalid_grant", "the code was already used; what it had issued is revoked")
    if grant.client_id != client.id:
        raise Refusal("invalid_grant", "the code was issued to another client")
    if world.clock() >= code.expires_at:
        raise Refusal("invalid_grant", "the code is older than a minute")
    if fields.get("redirect_uri") != code.redirect_uri:
        raise Refusal("invalid_grant", "redirect_uri differs from the one that was authorized")
    if not hmac.compare_digest(s256(fields.get("code_verifier", "")), code.challenge):
        raise Refusal("invalid_grant", "code_verifier does not fit the challenge")
    if client.dialect is Dialect.CLAUDE and not hmac.compare_digest(fields["state"].encode(), code.state.encode()):
        raise Refusal("invalid_grant", "state differs from the one that was authorized")
    _check_resource(grant, fields)
    with world.ledger.transaction():
        return _issue(world, grant, grant.scope)


def rotate(world: World, client: Client, fields: dict[str, str]) -> Issued:
    """Exchange a refresh token for the next pair. A replay ends the whole family (RFC 9700, 4.14.2)."""
    secret = fields.get("refresh_token", "")
    token = world.ledger.refresh(secret)
    if token is None:
        raise _dead("the refresh token is unknown", "invalid_refresh_token")
    grant = world.ledger.grant(token.grant_id)
    if grant.client_id != client.id:
        raise _dead("the refresh token was issued to another client", "invalid_refresh_token")
    if token.spent:
        world.ledger.end_grant(grant.id)
        raise _dead("the refresh token was already used; the sign-in is revoked", "refresh_token_reused")
    if grant.ended:
        raise _dead("the sign-in was revoked", "refresh_token_invalidated")
    if world.clock() >= token.expires_at:
        raise _dead("the refresh token has expired", "refresh_token_expired")
    _check_resource(grant, fields)
    scope = _narrowed(grant, fields.get("scope"))
    with world.ledger.transaction():
        world.ledger.spend_refresh(secret)
        return _issue(world, grant, scope)


def revoke(world: World, client: Client | None, secret: str) -> Grant | None:
    """Revoke a token, a refresh token together with all that belongs to it; unknown ones are no error (RFC 7009)."""
    token, ends_all = world.ledger.refresh(secret), True
    if token is None:
        token, ends_all = world.ledger.access(secret), False
    if token is None:
        return None
    grant = world.ledger.grant(token.grant_id)
    if client is not None and grant.client_id != client.id:
        raise Refusal("unauthorized_client", "the token was issued to another client")
    if ends_all:
        world.ledger.end_grant(grant.id)
    else:
        world.ledger.end_access(secret)
    return grant


def _issue(world: World, grant: Grant, scope: str) -> Issued:
    now = world.clock()
    access_prefix, refresh_prefix = _PREFIXES[grant.dialect]
    random = secrets.token_urlsafe(32)
    if grant.dialect is Dialect.CODEX:
        access = world.signer.access_token(grant, now, world.token_lifetime, random)
    else:
        access = access_prefix + random
    expires_at = now + world.token_lifetime
    world.ledger.add_access(access, Token(grant_id=grant.id, scope=scope, expires_at=expires_at, spent=False))
    refresh = None
    if grant.dialect is Dialect.CLAUDE or "offline_access" in grant.scope.split():
        refresh = refresh_prefix + secrets.token_urlsafe(32)
        world.ledger.add_refresh(refresh, grant.id, now + _REFRESH_LIFETIME)
    return Issued(grant=grant, scope=scope, access_token=access, refresh_token=refresh)


def s256(verifier: str) -> str:
    """Give the challenge of a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _dead(message: str, detail: str) -> Refusal:
    return Refusal("invalid_grant", message, detail=detail)


def _check_resource(grant: Grant, fields: dict[str, str]) -> None:
    if grant.resource is not None and fields.get("resource") != grant.resource:
        raise Refusal("invalid_target", "resource must be the one that was authorized (RFC 8707)")


def _narrowed(grant: Grant, asked: str | None) -> str:
    if asked is None:
        return grant.scope
    if not set(asked.split()) <= set(grant.scope.split()):
        raise Refusal("invalid_scope", "a refresh cannot widen the scope (RFC 6749, 6)")
    return asked
