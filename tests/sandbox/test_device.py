"""A device polls until its person has decided, as RFC 8628 and as Codex want it."""

from typing import Any

import httpx2
import pytest

from tests.sandbox.visitor import BASE_URL, Visitor

SCOPE = "openid profile email offline_access models"


async def begin(visitor: Visitor) -> dict[str, Any]:
    started = await visitor.http.post("/device_authorization", data={"client_id": "doorkey", "scope": SCOPE})
    login: dict[str, Any] = started.json()
    return login


async def poll(visitor: Visitor, login: dict[str, Any], wait: float = 1.0) -> httpx2.Response:
    visitor.clock.advance(wait)
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    body = {"grant_type": grant_type, "client_id": "doorkey", "device_code": login["device_code"]}
    return await visitor.http.post("/token", data=body)


async def type_code(visitor: Visitor, user_code: str, decision: str = "allow") -> httpx2.Response:
    """Type the code, decide, and follow to the page where it ends."""
    path = (await visitor.http.post("/device", data={"user_code": user_code})).headers["location"]
    await visitor.http.post(path, data={"person": "practice-ada"})
    decided = await visitor.http.post(path, data={"decision": decision})
    return await visitor.http.get(decided.headers["location"])


async def test_a_device_waits_and_then_gets_its_tokens(visitor: Visitor):
    login = await begin(visitor)
    waiting = await poll(visitor, login)
    page = await type_code(visitor, login["user_code"].lower())

    tokens = await poll(visitor, login)

    assert waiting.json()["error"] == "authorization_pending"
    assert "Your device is connected" in page.text
    assert (await visitor.models(tokens.json()["access_token"])).status_code == 200


async def test_a_device_code_works_once(visitor: Visitor):
    login = await begin(visitor)
    await type_code(visitor, login["user_code"])
    await poll(visitor, login)

    again = await poll(visitor, login)

    assert again.json()["error"] == "invalid_grant"


async def test_polling_too_soon_lengthens_every_later_wait(visitor: Visitor):
    login = await begin(visitor)
    await poll(visitor, login)

    errors = [(await poll(visitor, login, wait)).json()["error"] for wait in (0.5, 5.5, 11, 10.5)]

    assert errors == ["slow_down", "slow_down", "authorization_pending", "slow_down"]


async def test_a_denial_reaches_the_device(visitor: Visitor):
    login = await begin(visitor)
    page = await type_code(visitor, login["user_code"], "deny")

    refused = await poll(visitor, login)

    assert "Nothing was connected" in page.text
    assert refused.json()["error"] == "access_denied"


async def test_a_device_code_expires(visitor: Visitor):
    login = await begin(visitor)

    late = await poll(visitor, login, wait=600)
    typed = await visitor.http.post("/device", data={"user_code": login["user_code"]})

    assert late.json()["error"] == "expired_token"
    assert typed.status_code == 422


async def test_a_code_in_the_address_is_shown_and_not_taken(visitor: Visitor):
    login = await begin(visitor)

    shown = await visitor.http.get(login["verification_uri_complete"])

    assert f'value="{login["user_code"]}"' in shown.text
    assert (await poll(visitor, login)).json()["error"] == "authorization_pending"


@pytest.mark.parametrize("body", [{"client_id": "nobody"}, {"client_id": "practice-codex"}, {"client_id": "doorkey"}])
async def test_a_wrong_start_is_refused(visitor: Visitor, body: dict[str, str]):
    refused = await visitor.http.post("/device_authorization", data=body)

    assert refused.json()["error"] in {"invalid_client", "invalid_scope"}


async def test_codex_is_handed_the_code_and_the_verifier(visitor: Visitor):
    started = await visitor.http.post("/api/accounts/deviceauth/usercode", json={"client_id": "practice-codex"})
    login = {name: started.json()[name] for name in ("device_auth_id", "user_code")}
    waiting = await visitor.http.post("/api/accounts/deviceauth/token", json=login)
    await type_code(visitor, login["user_code"])

    done = (await visitor.http.post("/api/accounts/deviceauth/token", json=login)).json()

    reply = {"code": done["authorization_code"]}
    redirect = f"{BASE_URL}/deviceauth/callback"
    tokens = await visitor.exchange(reply, "codex", code_verifier=done["code_verifier"], redirect_uri=redirect)
    assert waiting.status_code == 403
    assert tokens.status_code == 200


async def test_codex_is_told_404_when_it_is_over(visitor: Visitor):
    over = await visitor.http.post(
        "/api/accounts/deviceauth/token", json={"device_auth_id": "none", "user_code": "none"}
    )

    assert over.status_code == 404
