"""Check the signature of an ID token against the issuer's published keys."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from doorkey.domain.secret import Secret
from doorkey.errors import SignInFailed

if TYPE_CHECKING:
    from joserfc.jwk import Key

# Each algorithm with the one type of key that it goes with: a public key never becomes an HMAC secret.
KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}


class JoseSignatures:
    """Take RS256 and ES256 and nothing else; what the claims say is judged elsewhere."""

    def claims(self, token: Secret, jwks: bytes) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        header = _header(token)
        for key in _keys(jwks, header):
            try:
                return jwt.decode(token.reveal(), key, algorithms=list(KEY_TYPES)).claims
            except (JoseError, ValueError, TypeError):
                # joserfc walks a `crit` that is no list without looking.
                continue
        raise SignInFailed("The ID token is not signed by one of its issuer's keys.")


def _header(token: Secret) -> Mapping[str, Any]:
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        return jws.extract_compact(token.reveal().encode()).headers()
    except (JoseError, ValueError, RecursionError):
        raise SignInFailed("The ID token cannot be read.") from None


def _keys(jwks: bytes, header: Mapping[str, Any]) -> Iterator["Key"]:
    """Yield the keys that may have signed: of the algorithm's type, and of the `kid` where the token names one."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    for entry in _entries(jwks):
        fits = entry.get("kty") == KEY_TYPES.get(str(header.get("alg"))) and entry.get("use", "sig") == "sig"
        if fits and ("kid" not in header or entry.get("kid") == header["kid"]):
            try:
                yield JWKRegistry.import_key(entry)
            except (JoseError, ValueError, TypeError, KeyError):
                # RFC 7517 section 5: a key that we do not understand is passed over.
                continue


def _entries(jwks: bytes) -> list[dict[str, Any]]:
    try:
        published = json.loads(jwks)
        entries = published["keys"]
        return [entry for entry in entries if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SignInFailed("The issuer's keys cannot be read.", hint="Check jwks_url in config.toml.") from None
