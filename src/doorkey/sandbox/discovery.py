"""What the server says about itself (RFC 8414, OpenID Connect Discovery)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import registered
from doorkey.sandbox.device import GRANT_TYPE
from doorkey.sandbox.world import world_of


async def metadata(request: Request) -> Response:
    """Describe the plain client's endpoints; the other dialects' paths are configured, never discovered."""
    base_url = world_of(request).base_url
    return JSONResponse(
        {
            "issuer": base_url,
            "authorization_endpoint": f"{base_url}/authorize",
            "token_endpoint": f"{base_url}/token",
            "device_authorization_endpoint": f"{base_url}/device_authorization",
            "revocation_endpoint": f"{base_url}/revoke",
            "jwks_uri": f"{base_url}/jwks.json",
            "scopes_supported": list(registered(base_url)["doorkey"].scopes),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", GRANT_TYPE],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "azp", "email", "name"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


async def jwks(request: Request) -> Response:
    """Give the keys that verify ID tokens."""
    return JSONResponse(world_of(request).signer.jwks())
