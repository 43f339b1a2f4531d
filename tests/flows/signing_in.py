"""Signing in with an authorization code, driven by hand."""

from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

from doorkey.domain.provider import Api, Dialect
from doorkey.flows import authorization_code
from doorkey.flows.attempts import Plan
from doorkey.testing.script import ISSUER, METHOD, Caller

API = Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT)
OPENID = replace(METHOD, scopes=("openid", "offline_access"), jwks_url=f"{ISSUER}/jwks")
SIWC = replace(OPENID, client_id=None, registers=True, resource="https://api.example/v1")


def plan_for(method=METHOD, **changes):
    fields = {
        "provider": "acme",
        "method": method,
        "api": API,
        "redirect": "http://127.0.0.1:4000/callback",
        "host_id": "urn:uuid:host",
    }
    return Plan(**(fields | changes))


def begin(world, plan):
    attempt, url = world.run(authorization_code.begin(plan))
    return attempt, url, {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def reply_to(attempt, **changes):
    fields = {"code": "code-1", "state": attempt.state.reveal()} | changes
    return f"{attempt.redirect}?{urlencode({name: value for name, value in fields.items() if value is not None})}"


def finish(world, plan, attempt, reply=None):
    return Caller(world, authorization_code.finish(plan, attempt, reply or reply_to(attempt)))


def sign_in(world, plan, **changes):
    attempt, _, _ = begin(world, plan)
    return finish(world, plan, attempt, reply_to(attempt, **changes)).finish()


def proven(world, **claims):
    """Let the server prove an identity with the next code."""
    world.endpoints.extra = {"id_token": "proof"}
    world.signatures.proven = {"iss": ISSUER, "aud": "client-1", "sub": "subject-1", "exp": 2e9} | claims


def someone(uuid, email):
    return {"account": {"uuid": uuid, "email_address": email}}
