"""A person at the pages of the practice provider, and the configs that lead there: to drive the real thing."""

from urllib.parse import urlsplit

import httpx2

ADA, GRACE, ALAN = "practice-ada", "practice-grace", "practice-alan"
PATIENCE = 60.0

SANDBOX = """
[providers.sandbox.api]
base_url = "{url}/v1"
[providers.sandbox.methods.oauth]
issuer = "{url}"
authorize_url = "{url}/authorize"
token_url = "{url}/token"
revoke_url = "{url}/revoke"
jwks_url = "{url}/jwks.json"
device_url = "{url}/device_authorization"
"""
"""The built-in practice provider at another address; to be filled with its `url`."""

ACME = """
[providers.acme]
name = "Acme"
[providers.acme.api]
base_url = "{url}/v1"
dialect = "openai-chat"
env = "ACME_API_KEY"
[providers.acme.methods.oauth]
kind = "authorization_code"
client_id = "doorkey"
issuer = "{url}"
authorize_url = "{url}/authorize"
token_url = "{url}/token"
revoke_url = "{url}/revoke"
scopes = ["openid", "profile", "email", "offline_access", "models"]
[providers.acme.methods.api-key]
kind = "api_key"
"""
"""A provider of the person's own that the practice provider plays; to be filled with its `url`."""


def approve(url: str, *, person: str = ADA, decision: str = "allow", plan_use: str = "on", workspace: str = "") -> str:
    """Choose a person at a sign-in address, decide, and return the address that the browser is sent to."""
    parts = urlsplit(url)
    with httpx2.Client(base_url=f"{parts.scheme}://{parts.netloc}", timeout=PATIENCE) as http:
        path = http.get(url).headers["location"]
        http.post(path, data={"person": person})
        fields = {"plan_use": plan_use, "decision": decision, "workspace": workspace}
        return str(http.post(path, data=fields).headers["location"])


def type_code(url: str, user_code: str, *, person: str = ADA, decision: str = "allow") -> None:
    """Type a device's code at the practice provider, as in a browser elsewhere, choose a person and decide."""
    with httpx2.Client(base_url=url, timeout=PATIENCE) as http:
        path = http.post("/device", data={"user_code": user_code}).headers["location"]
        http.post(path, data={"person": person})
        decided = http.post(path, data={"plan_use": "on", "decision": decision, "workspace": ""})
        http.get(decided.headers["location"]).raise_for_status()


def bring_back(reply: str) -> httpx2.Response:
    """Let the browser follow the redirect to the program that waits."""
    return httpx2.get(reply, timeout=PATIENCE)
