"""Who is calling: the credential is found, judged, and turned into a caller with a payer."""

from dataclasses import dataclass

from doorkey.sandbox.clients import PLAN_USE, Dialect
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange, refuse_over_limit
from doorkey.sandbox.storage import Grant
from doorkey.sandbox.world import World

_PAYERS = {
    Dialect.PLAIN: "local",
    Dialect.PLAN: "plan",
    Dialect.CODEX: "plan",
    Dialect.CLAUDE: "plan",
    Dialect.ROUTER: "local",
}
_METHODS = {
    Dialect.PLAIN: "the sign-in of the practice provider",
    Dialect.PLAN: "a sign-in that shares a plan",
    Dialect.CODEX: "a Codex sign-in",
    Dialect.CLAUDE: "a Claude sign-in",
    Dialect.ROUTER: "a key that a sign-in gave",
}
_UNAUTHENTICATED = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose request this is, by which way, and who pays for it; `dialect` is None for a practice key."""

    name: str
    method: str
    payer: str
    plan: str | None
    workspace: str | None
    dialect: Dialect | None


def caller(exchange: Exchange, *served_here: Dialect | None) -> Caller:
    """Identify the caller of a route that serves these kinds of credential; raises a Refusal."""
    secret = _presented(exchange)
    world = exchange.world
    if world.ledger.key_works(secret):
        if exchange.meets("expired_token") or exchange.meets("revoked_grant"):
            raise _unauthenticated("invalid_api_key", "the practice key does not work just now, as you asked")
        return _by_key(exchange, served_here)
    grant, scope = _grant(exchange, world, secret)
    exchange.dialect = grant.dialect
    refuse_over_limit(exchange, grant.dialect)
    _check_route(grant, scope, served_here)
    account = grant.account
    return Caller(
        name=account.name,
        method=_METHODS[grant.dialect],
        payer=_PAYERS[grant.dialect],
        plan=account.plan,
        workspace=account.workspace.title,
        dialect=grant.dialect,
    )


def _by_key(exchange: Exchange, served_here: tuple[Dialect | None, ...]) -> Caller:
    exchange.note.credential, exchange.note.account = "api_key", "practice key"
    refuse_over_limit(exchange, None)
    if None not in served_here:
        raise _unauthenticated("invalid_token", "this route takes no API keys")
    return Caller(name="a practice key", method="an API key", payer="local", plan=None, workspace=None, dialect=None)


def _presented(exchange: Exchange) -> str:
    headers = exchange.request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    keys = [
        secret for secret in (token.strip() if scheme.lower() == "bearer" else "", headers.get("x-api-key")) if secret
    ]
    if len(keys) > 1:
        raise Refusal("invalid_request", "send one credential, not two")
    if not keys:
        raise _unauthenticated("missing_credential", "send a Bearer token or an x-api-key")
    return keys[0]


def _grant(exchange: Exchange, world: World, secret: str) -> tuple[Grant, str]:
    if exchange.meets("expired_token"):
        world.ledger.expire_access(secret)
    token = world.ledger.access(secret)
    if token is None:
        raise _unauthenticated("invalid_api_key", "no such token or key is known here")
    if exchange.meets("revoked_grant"):
        world.ledger.end_grant(token.grant_id)
    grant = world.ledger.grant(token.grant_id)
    exchange.named(grant, "access_token")
    if token.spent or grant.ended:
        code = "subscription_sharing_invalid_user" if grant.dialect is Dialect.PLAN else "token_revoked"
        raise _unauthenticated(code, "the token was revoked")
    if world.clock() >= token.expires_at:
        raise _unauthenticated("token_expired", "Provided authentication token is expired.")
    return grant, token.scope


def _check_route(grant: Grant, scope: str, served_here: tuple[Dialect | None, ...]) -> None:
    if grant.dialect not in served_here:
        if grant.dialect is Dialect.PLAN:
            code = "subscription_sharing_route_not_supported"
            raise Refusal(code, "a shared plan does not serve this route", status=403)
        raise _unauthenticated("invalid_token", "the token is for another API")
    if grant.dialect is Dialect.PLAN and PLAN_USE not in scope.split():
        if grant.account.plan == "free":
            code = "subscription_sharing_user_not_eligible"
            raise Refusal(code, "this plan cannot be shared with apps", status=403)
        raise Refusal("chatpass_v2_scope_not_authorized", "the person did not allow use of the plan", status=403)
    needed = {Dialect.PLAIN: "models", Dialect.CLAUDE: "user:inference"}.get(grant.dialect)
    if needed is not None and needed not in scope.split():
        raise Refusal("insufficient_scope", f"the token lacks the scope {needed}", status=403)


def _unauthenticated(code: str, message: str) -> Refusal:
    return Refusal(code, message, status=401, headers=_UNAUTHENTICATED)
