import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from doorkey.adapters.http.signatures import JoseSignatures
from doorkey.domain.secret import Secret
from doorkey.errors import SignInFailed

CLAIMS = {"iss": "https://sso.acme.example", "sub": "ann", "exp": 1}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER = RSAKey.generate_key(2048, {"kid": "other"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})


def published(*keys, **changes) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) | changes for key in keys]}).encode()


def signed(key, algorithm="RS256", **header) -> Secret:
    return Secret(jwt.encode({"alg": algorithm, **header}, CLAIMS, key, algorithms=[algorithm]))


def unsigned(header, signature: str = "") -> Secret:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, CLAIMS)]
    return Secret(".".join([*parts, signature]))


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_signed_token_gives_its_claims_without_judging_them(key, algorithm):
    token = signed(key, algorithm, kid=key.kid)

    assert JoseSignatures().claims(token, published(OTHER, RSA, EC)) == CLAIMS


def test_without_a_kid_every_fitting_key_is_tried():
    token = signed(RSA)

    assert JoseSignatures().claims(token, published(EC, OTHER, RSA)) == CLAIMS


def refused(token: Secret, jwks: bytes, match: str = "not signed") -> None:
    with pytest.raises(SignInFailed, match=match):
        JoseSignatures().claims(token, jwks)


def test_another_issuers_key_is_refused():
    refused(signed(OTHER), published(RSA))


def test_the_kid_is_respected():
    refused(signed(RSA, kid="other"), published(RSA, OTHER))


def test_changed_claims_are_refused():
    head, _, signature = signed(RSA).reveal().split(".")
    claims = base64.urlsafe_b64encode(json.dumps(CLAIMS | {"sub": "bob"}).encode()).rstrip(b"=").decode()

    refused(Secret(f"{head}.{claims}.{signature}"), published(RSA))


def test_a_token_without_a_signature_is_refused():
    refused(unsigned({"alg": "none"}), published(RSA))


def test_a_public_key_is_no_hmac_secret():
    signing_input = unsigned({"alg": "HS256"}).reveal().removesuffix(".")
    seal = hmac.digest(RSA.as_pem(private=False), signing_input.encode(), "sha256")

    refused(unsigned({"alg": "HS256"}, base64.urlsafe_b64encode(seal).rstrip(b"=").decode()), published(RSA))


def test_a_published_hmac_secret_is_not_taken():
    secret = OctKey.generate_key(256)
    token = Secret(jwt.encode({"alg": "HS256"}, CLAIMS, secret, algorithms=["HS256"]))
    jwks = json.dumps({"keys": [secret.as_dict(private=True)]}).encode()

    refused(token, jwks)


def test_other_algorithms_are_refused():
    refused(signed(RSA, "PS256"), published(RSA))


def test_a_key_for_encryption_does_not_sign():
    refused(signed(RSA), published(RSA, use="enc"))


def test_a_key_that_cannot_be_read_does_not_spoil_the_others():
    jwks = {"keys": [{"kty": "RSA", "n": "?"}, {"kty": "AKP"}, "key", None, RSA.as_dict(private=False)]}

    assert JoseSignatures().claims(signed(RSA), json.dumps(jwks).encode()) == CLAIMS


@pytest.mark.parametrize(
    "jwks", [b"", b"{}", b"[]", b'"keys"', b'{"keys": 1}', b"\xff", b"[" * 100_000], ids=lambda jwks: repr(jwks[:12])
)
def test_garbage_in_place_of_keys_is_refused(jwks):
    refused(signed(RSA), jwks, "keys cannot be read")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "e30.e30.", "bnVsbA.bnVsbA.bnVsbA"])
def test_garbage_in_place_of_a_token_is_refused(text):
    refused(Secret(text), published(RSA), "ID token")


@pytest.mark.parametrize("crit", [True, 5, None, ["exp"], {}])
def test_a_header_that_demands_what_we_do_not_know_is_refused(crit):
    refused(unsigned({"alg": "RS256", "crit": crit}, "c2ln"), published(RSA))


@given(st.binary(max_size=200))
def test_no_keys_crash_it(jwks):
    with pytest.raises(SignInFailed):
        JoseSignatures().claims(unsigned({"alg": "RS256"}, "c2ln"), jwks)


@given(st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "x", "y", "crv", "use", "alg"]), st.text(max_size=8)))
def test_no_key_crashes_it(entry):
    jwks = json.dumps({"keys": [entry | {"kty": kind} for kind in ("RSA", "EC")]}).encode()

    with pytest.raises(SignInFailed):
        JoseSignatures().claims(unsigned({"alg": "ES256"}, "c2ln"), jwks)
