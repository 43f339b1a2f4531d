"""Which credentials are taken where, and in which shape the models are listed."""

import pytest

from tests.sandbox.models.sdks import OAUTH_BETA, anthropic_client, openai_client
from tests.sandbox.visitor import Visitor


async def test_openai_lists_the_models_for_a_key(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    models = [model.id async for model in client.models.list()]

    assert models == ["practice-small", "practice-large"]


async def test_anthropic_lists_the_models_for_a_key(visitor: Visitor, key: str):
    client = anthropic_client(visitor, key=key)

    models = [model.display_name async for model in client.models.list()]

    assert models == ["Practice Small", "Practice Large"]


async def test_a_claude_token_lists_the_models(visitor: Visitor):
    tokens = await visitor.sign_in("claude")

    listed = await visitor.models(tokens["access_token"], **OAUTH_BETA, **{"anthropic-version": "2023-06-01"})

    assert listed.json()["data"][0]["id"] == "practice-small"


async def test_a_shared_plan_lists_slugs_and_one_is_hidden(visitor: Visitor):
    tokens = await visitor.sign_in("plan")

    listed = (await visitor.models(tokens["access_token"])).json()["models"]

    assert [model["visibility"] for model in listed] == ["list", "list", "hide"]
    assert listed[0] == {"slug": "practice-small", "display_name": "Practice Small", "visibility": "list"}


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?client_version=1.0.0", 200)])
async def test_codex_wants_to_know_the_version(visitor: Visitor, query: str, status: int):
    tokens = await visitor.sign_in("codex")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    listed = await visitor.http.get(f"/backend-api/codex/models{query}", headers=headers)

    assert listed.status_code == status


async def test_an_expired_token_is_named_as_such(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.clock.advance(3600)

    refused = await visitor.models(tokens["access_token"])

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_expired")
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_without_the_models_scope_is_refused(visitor: Visitor):
    tokens = await visitor.sign_in(scope="openid")

    refused = await visitor.models(tokens["access_token"])

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")


async def test_a_refresh_token_is_no_access_token(visitor: Visitor):
    tokens = await visitor.sign_in()

    refused = await visitor.models(tokens["refresh_token"])

    assert refused.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}])
async def test_a_call_without_a_credential_is_refused(visitor: Visitor, headers: dict[str, str]):
    refused = await visitor.http.get("/v1/models", headers=headers)

    assert refused.json()["error"]["code"] == "missing_credential"


async def test_two_credentials_at_once_are_refused(visitor: Visitor, key: str):
    refused = await visitor.models(key, **{"x-api-key": key})

    assert refused.status_code == 400


async def test_a_revoked_key_stops_working(visitor: Visitor, key: str):
    listed = await visitor.http.get("/keys")
    hash_of_key = listed.text.partition('name="revoke" value="')[2].partition('"')[0]

    await visitor.http.post("/keys", data={"revoke": hash_of_key})

    assert (await visitor.models(key)).status_code == 401


async def test_the_button_makes_a_key_that_works(visitor: Visitor):
    page = await visitor.http.post("/keys", data={"make": "1"})
    key = page.text.partition('<code id="key">')[2].partition("<")[0]

    assert (await visitor.models(key)).status_code == 200
