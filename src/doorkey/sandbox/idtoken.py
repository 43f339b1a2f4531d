"""ID tokens: signed with ES256, their claims as OpenAI names them (protocols 1.5 and 2.6)."""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from doorkey.sandbox.people import Account
from doorkey.sandbox.storage import Grant, Ledger

_ALGORITHM = "ES256"
_LIFETIME = 3600
AUTH_CLAIM = "https://api.openai.com/auth"
_PROFILE_CLAIM = "https://api.openai.com/profile"


class Signer:
    """The signing key, kept in the ledger so that old ID tokens still verify after a restart."""

    def __init__(self, ledger: Ledger, issuer: str) -> None:
        stored = ledger.signing_key()
        if stored is None:
            fresh = ECKey.generate_key("P-256", auto_kid=True)
            stored = {**fresh.as_dict(private=True)}
            ledger.keep_signing_key(stored)
        self._key = ECKey.import_key(stored)
        self._issuer = issuer

    def jwks(self) -> dict[str, Any]:
        """Give the public key set (RFC 7517)."""
        public = {**self._key.as_dict(private=False), "use": "sig", "alg": _ALGORITHM}
        return {"keys": [public]}

    def id_token(self, grant: Grant, now: float) -> str:
        """Say who signed in, to the grant's client alone; the nonce is left out where none was sent."""
        account = grant.account
        claims = {
            **self._common(grant, now, _LIFETIME),
            "aud": [grant.client_id],
            "azp": grant.client_id,
            "email": account.email,
            "email_verified": True,
            "name": account.name,
            AUTH_CLAIM: _auth_claims(account),
        }
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        return self._sign(claims)

    def access_token(self, grant: Grant, now: float, lifetime: int, jti: str) -> str:
        """Make an access token that clients of the Codex dialect read `exp` and the account from."""
        claims = {
            **self._common(grant, now, lifetime),
            "aud": ["https://api.openai.com/v1"],
            "client_id": grant.client_id,
            "jti": jti,
            AUTH_CLAIM: _auth_claims(grant.account),
            _PROFILE_CLAIM: {"email": grant.account.email},
        }
        return self._sign(claims)

    def subject_of(self, id_token: str) -> str | None:
        """Read whom an `id_token_hint` means; None when we did not sign it. Its expiry does not matter."""
        try:
            subject = jwt.decode(id_token, self._key, algorithms=[_ALGORITHM]).claims.get("sub")
        except (JoseError, ValueError):
            return None
        return subject if isinstance(subject, str) else None

    def _common(self, grant: Grant, now: float, lifetime: int) -> dict[str, Any]:
        return {"iss": self._issuer, "sub": grant.account.subject, "iat": int(now), "exp": int(now) + lifetime}

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": _ALGORITHM, "kid": self._key.kid}, claims, self._key)


def _auth_claims(account: Account) -> dict[str, Any]:
    workspace = account.workspace
    return {
        "chatgpt_account_id": workspace.id,
        "chatgpt_plan_type": account.plan,
        "chatgpt_user_id": account.subject,
        "organizations": [{"id": workspace.id, "title": workspace.title, "is_default": True, "role": "owner"}],
    }
