"""An OAuth client that we did not write gets in, stays in and gets out; the ID token is verified without joserfc."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from doorkey.sandbox.server import Running, start
from tests.sandbox.visitor import REDIRECT, VERIFIER


class Session:
    """The small part of a requests session that authlib's client uses, over httpx2."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> httpx2.Response:
        # authlib's way of authentication: it may change the address, the headers and the encoded body.
        url, headers, body = auth.prepare("POST", url, headers, urlencode(data))
        return self._http.post(url, content=body, headers=headers)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    server = start()
    yield server
    server.stop()


@pytest.fixture
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url) as client:
        yield client


@pytest.fixture
def metadata(http: httpx2.Client) -> dict[str, Any]:
    described: dict[str, Any] = http.get("/.well-known/oauth-authorization-server").json()
    return described


@pytest.fixture
def client(http: httpx2.Client, metadata: dict[str, Any]) -> OAuth2Client:
    return OAuth2Client(
        Session(http),
        client_id="doorkey",
        scope="openid profile email offline_access models",
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
        **metadata,
    )


def sign_in(http: httpx2.Client, client: OAuth2Client, metadata: dict[str, Any]) -> dict[str, Any]:
    """Let authlib build the address and read the reply; the person between them presses the buttons."""
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="the-nonce"
    )
    page = http.get(address).headers["location"]
    http.post(page, data={"person": "practice-grace"})
    reply = http.post(page, data={"decision": "allow"}).headers["location"]
    tokens: dict[str, Any] = client.fetch_token(authorization_response=reply, state=state, code_verifier=VERIFIER)
    return tokens


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def number(part: str) -> int:
    return int.from_bytes(decoded(part))


def verified_claims(token: str, jwks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check an ES256 signature with nothing but curve arithmetic (RFC 7518, 3.4)."""
    head, body, signature = token.split(".")
    header = json.loads(decoded(head))
    jwk = next(key for key in jwks["keys"] if key["kid"] == header["kid"])
    public = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), ec.SECP256R1()).public_key()
    raw = decoded(signature)
    halves = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(halves, f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
    return header, json.loads(decoded(body))


def test_the_metadata_is_what_rfc_8414_wants(metadata: dict[str, Any]):
    plain_http = ("validate_issuer", "validate_authorization_endpoint", "validate_token_endpoint", "validate_jwks_uri")
    checks = [name for name in dir(AuthorizationServerMetadata) if name.startswith("validate_")]

    described = AuthorizationServerMetadata(metadata)

    for name in checks:
        if name not in plain_http and not name.startswith("validate_revocation_endpoint"):
            getattr(described, name)()


def test_both_discovery_documents_are_the_same(http: httpx2.Client, metadata: dict[str, Any]):
    assert http.get("/.well-known/openid-configuration").json() == metadata


def test_a_strangers_challenge_fits_ours():
    assert create_s256_code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_a_stranger_signs_in_and_its_id_token_verifies(
    http: httpx2.Client, client: OAuth2Client, metadata: dict[str, Any]
):
    tokens = sign_in(http, client, metadata)

    header, claims = verified_claims(tokens["id_token"], http.get(metadata["jwks_uri"]).json())
    options = {"iss": {"value": metadata["issuer"], "essential": True}, "aud": {"value": "doorkey", "essential": True}}
    CodeIDToken(claims, header, options, {"nonce": "the-nonce", "client_id": "doorkey"}).validate()
    assert (claims["aud"], claims["azp"]) == (["doorkey"], "doorkey")
    assert (claims["email"], claims["name"]) == ("grace@practice.example", "Grace Hopper")
    assert claims["https://api.openai.com/auth"]["chatgpt_plan_type"] == "pro"


def test_a_stranger_refreshes_and_is_caught_replaying(
    http: httpx2.Client, client: OAuth2Client, metadata: dict[str, Any]
):
    first = sign_in(http, client, metadata)["refresh_token"]
    client.refresh_token(refresh_token=first)

    with pytest.raises(OAuth2Error) as refused:
        client.refresh_token(refresh_token=first)

    assert refused.value.error == "invalid_grant"


def test_a_stranger_revokes(http: httpx2.Client, client: OAuth2Client, metadata: dict[str, Any]):
    tokens = sign_in(http, client, metadata)

    revoked = client.revoke_token(
        metadata["revocation_endpoint"], token=tokens["refresh_token"], token_type_hint="refresh_token"
    )

    assert revoked.status_code == 200
    with pytest.raises(OAuth2Error):
        client.refresh_token(refresh_token=tokens["refresh_token"])
