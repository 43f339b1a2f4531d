"""Who signed in: the checks of an ID token's claims, and the reading of the shapes that providers use."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from doorkey.domain.account import Identity
from doorkey.domain.foreign import tame
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.errors import SignInFailed

LEEWAY = timedelta(minutes=5)
LONGEST = 200
OPENAI_AUTH = "https://api.openai.com/auth"


def check_claims(
    claims: Mapping[str, Any], method: Method, client_id: str, nonce: Secret | None, now: datetime
) -> None:
    """Check iss, aud, azp, exp, nonce and sub (OpenID Connect Core 3.1.3.7); the signature was checked before.

    `nonce` None means that none was sent: the device flow has no place for it.

    Raises SignInFailed: an account is never bound by a token that was not meant for this sign-in.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    faults = {
        "issuer": claims.get("iss") != method.issuer,
        "audience": client_id not in audiences or (len(audiences) > 1 and "azp" not in claims),
        "authorized party": claims.get("azp", client_id) != client_id,
        "lifetime": not (isinstance(expires, int | float) and now.timestamp() < expires + LEEWAY.total_seconds()),
        "nonce": nonce is not None and Secret(str(claims.get("nonce", ""))) != nonce,
        "subject": not isinstance(claims.get("sub"), str) or not claims["sub"],
    }
    wrong = [name for name, is_wrong in faults.items() if is_wrong]
    if wrong:
        raise SignInFailed(f"The provider's proof of identity is not for this sign-in (wrong {', '.join(wrong)}).")


def read(method: Method, client_id: str, claims: Mapping[str, Any], body: Mapping[str, Any]) -> Identity:
    """Read an identity from verified claims, else from the account that the token response names."""
    if claims:
        return replace(of_claims(claims), issuer=method.issuer, client_id=client_id)
    account, organization = _object(body, "account"), _object(body, "organization")
    return Identity(
        # A token response without an ID token names no issuer; the token address stands in for it.
        issuer=method.issuer or method.token_url,
        client_id=client_id,
        subject=_text(account, "uuid") or _text(body, "user_id"),
        workspace=_text(organization, "uuid"),
        email=_text(account, "email_address"),
        workspace_name=_text(organization, "name"),
    )


def of_userinfo(method: Method, client_id: str, body: Mapping[str, Any]) -> Identity:
    """Read what OpenID Connect's userinfo tells (Core 5.3), or GitHub's `/user`, whose number never changes."""
    number = body.get("id")
    return Identity(
        issuer=method.issuer or method.token_url,
        client_id=client_id,
        subject=_text(body, "sub") or (str(number) if type(number) is int else None),
        email=_text(body, "email"),
        name=_text(body, "login") or _text(body, "name"),
    )


def of_claims(claims: Mapping[str, Any]) -> Identity:
    """Read who the claims of a token are about, without who issued it."""
    openai = _object(claims, OPENAI_AUTH)
    return Identity(
        subject=_text(claims, "sub"),
        workspace=_text(openai, "chatgpt_account_id"),
        email=_text(claims, "email"),
        name=_text(claims, "name") or _text(claims, "preferred_username"),
        plan=_text(openai, "chatgpt_plan_type"),
        workspace_name=_workspace_name(openai),
    )


def _workspace_name(openai: Mapping[str, Any]) -> str | None:
    organizations = openai.get("organizations")
    if not isinstance(organizations, list):
        return None
    wanted = openai.get("chatgpt_account_id")
    named = [entry for entry in organizations if isinstance(entry, dict) and entry.get("id") == wanted]
    return _text(named[0], "title") or _text(named[0], "name") if named else None


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return tame(value[:LONGEST]) if isinstance(value, str) and value else None
