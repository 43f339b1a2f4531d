"""A person with a browser, and the client that sent them to the practice provider."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from doorkey.sandbox import Sandbox

BASE_URL = "http://127.0.0.1:8378"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rule-of-43"
REDIRECT = "http://127.0.0.1:5001/callback"
PLAN_REDIRECT = "http://127.0.0.1:5002/auth/callback"
RESOURCE = f"{BASE_URL}/v1"
PLAN_SCOPE = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct"


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


PLAIN = {
    "client_id": "doorkey",
    "redirect_uri": REDIRECT,
    "scope": "openid profile email offline_access models",
}
PLAN = {
    "client_id": "dynamic_agent_client",
    "redirect_uri": PLAN_REDIRECT,
    "scope": PLAN_SCOPE,
    "resource": RESOURCE,
    "ext_agent_host_id": "urn:uuid:2b1c3f0e-8a51-4c55-9d0e-0f6b6f0d3a11",
    "agent_name_hint": "Test App",
}
CODEX = {
    "client_id": "practice-codex",
    "redirect_uri": "http://localhost:1455/auth/callback",
    "scope": "openid profile email offline_access",
}
CLAUDE = {
    "code": "true",
    "client_id": "practice-claude",
    "redirect_uri": "http://localhost:5003/callback",
    "scope": "user:profile user:inference",
}


@dataclass(frozen=True)
class Way:
    """The addresses and the habits of one dialect."""

    authorize: str
    token: str
    params: dict[str, str]
    body: str = "data"


WAYS = {
    "plain": Way("/authorize", "/token", PLAIN),
    "plan": Way("/api/accounts/authorize", "/api/accounts/oauth/token", PLAN),
    "codex": Way("/oauth/authorize", "/oauth/token", CODEX),
    "claude": Way("/claude/authorize", "/claude/token", CLAUDE, body="json"),
}


@dataclass
class Visitor:
    """Does what the two do, and checks on the way that each step was taken."""

    http: httpx2.AsyncClient
    sandbox: Sandbox
    clock: HandClock

    async def ask(self, way: str = "plain", **params: Any) -> httpx2.Response:
        """Open the authorization address; a parameter of None is left out."""
        defaults = {
            "response_type": "code",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        query = {**defaults, **WAYS[way].params, **params}
        return await self.http.get(
            WAYS[way].authorize, params={name: value for name, value in query.items() if value is not None}
        )

    async def answer(
        self, page: httpx2.Response, person: str = "practice-ada", decision: str = "allow", **fields: str
    ) -> dict[str, str]:
        """Choose a person, decide, and give the parameters that are sent back."""
        assert page.status_code == 303, page.text
        path = page.headers["location"]
        chosen = await self.http.post(path, data={"person": person, **fields})
        assert chosen.status_code == 303, chosen.text
        decided = await self.http.post(path, data={"plan_use": "on", "decision": decision, **fields})
        return sent_back(decided)

    async def consent(self, way: str = "plain", person: str = "practice-ada", **params: Any) -> dict[str, str]:
        """Go from the authorization address to an allowed reply."""
        return await self.answer(await self.ask(way, **params), person)

    async def exchange(self, reply: dict[str, str], way: str = "plain", **fields: Any) -> httpx2.Response:
        """Send the code of a reply to the token endpoint; a field of None is left out."""
        params = WAYS[way].params
        body = {
            "grant_type": "authorization_code",
            "client_id": reply.get("client_id", params["client_id"]),
            "code": reply["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": params["redirect_uri"],
            **({"resource": RESOURCE} if way == "plan" else {}),
            **({"state": reply["state"]} if way == "claude" else {}),
            **fields,
        }
        return await self.post_token(way, body)

    async def refresh(self, tokens: dict[str, Any], way: str = "plain", **fields: Any) -> httpx2.Response:
        """Send a refresh token to the token endpoint."""
        body = {
            "grant_type": "refresh_token",
            "client_id": tokens.get("client_id", WAYS[way].params["client_id"]),
            "refresh_token": tokens["refresh_token"],
            **({"resource": RESOURCE} if way == "plan" else {}),
            **fields,
        }
        return await self.post_token(way, body)

    async def post_token(self, way: str, body: dict[str, Any]) -> httpx2.Response:
        given = {name: value for name, value in body.items() if value is not None}
        if WAYS[way].body == "json":
            return await self.http.post(WAYS[way].token, json=given)
        return await self.http.post(WAYS[way].token, data=given)

    async def sign_in(self, way: str = "plain", person: str = "practice-ada", **params: Any) -> dict[str, Any]:
        """Go all the way to tokens; the issued client id is among them."""
        reply = await self.consent(way, person, **params)
        response = await self.exchange(reply, way)
        assert response.status_code == 200, response.text
        client_id = reply.get("client_id", WAYS[way].params["client_id"])
        return {**response.json(), "client_id": client_id}

    async def models(self, token: str, **headers: str) -> httpx2.Response:
        """Ask for the models, the smallest call that needs a credential."""
        return await self.http.get("/v1/models", headers={"Authorization": f"Bearer {token}", **headers})


def sent_back(response: httpx2.Response) -> dict[str, str]:
    """Read the parameters of a redirect, each of which must be there once."""
    assert response.status_code == 303, response.text
    pairs = parse_qsl(urlsplit(response.headers["location"]).query)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
