"""Codes, tokens, rotation and revocation, as a strict server keeps them."""

from typing import Any

import pytest

from tests.sandbox.visitor import WAYS, Visitor

EVERY_WAY = pytest.mark.parametrize("way", list(WAYS))


@EVERY_WAY
async def test_a_code_becomes_tokens(visitor: Visitor, way: str):
    tokens = await visitor.sign_in(way)

    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert tokens["refresh_token"]


@EVERY_WAY
async def test_a_refresh_rotates_the_token(visitor: Visitor, way: str):
    tokens = await visitor.sign_in(way)

    renewed = (await visitor.refresh(tokens, way)).json()

    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert renewed["access_token"] != tokens["access_token"]


REUSED = {
    "plain": (400, {"error": "invalid_grant", "error_code": "refresh_token_reused"}),
    "plan": (400, {"error": "refresh_token_reused"}),
    "codex": (401, {"code": "refresh_token_reused"}),
    "claude": (400, {"error": "invalid_grant", "error_code": "refresh_token_reused"}),
}


@EVERY_WAY
async def test_a_replayed_refresh_token_is_refused_in_the_words_of_its_dialect(visitor: Visitor, way: str):
    tokens = await visitor.sign_in(way)
    await visitor.refresh(tokens, way)

    replay = await visitor.refresh(tokens, way)

    status, words = REUSED[way]
    body = replay.json()["error"] if way == "codex" else replay.json()
    assert replay.status_code == status
    assert words.items() <= body.items()


async def test_a_replay_ends_the_whole_family(visitor: Visitor):
    tokens = await visitor.sign_in()
    renewed = (await visitor.refresh(tokens)).json()
    await visitor.refresh(tokens)

    after = await visitor.refresh(renewed)

    assert after.json()["error_code"] == "refresh_token_invalidated"
    assert (await visitor.models(renewed["access_token"])).status_code == 401


async def test_a_code_used_twice_revokes_what_it_issued(visitor: Visitor):
    reply = await visitor.consent()
    tokens = (await visitor.exchange(reply)).json()

    again = await visitor.exchange(reply)

    assert again.json()["error"] == "invalid_grant"
    assert (await visitor.models(tokens["access_token"])).status_code == 401


async def test_a_code_lives_a_minute(visitor: Visitor):
    reply = await visitor.consent()
    visitor.clock.advance(60)

    late = await visitor.exchange(reply)

    assert late.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"code_verifier": "another-verifier-that-is-long-enough-to-be-one"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:5009/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "invented"}, "invalid_grant"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": "practice-codex"}, "invalid_client"),
        ({"client_secret": "secret"}, "invalid_client"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_exchange_is_refused(visitor: Visitor, fields: dict[str, Any], error: str):
    reply = await visitor.consent()

    refused = await visitor.exchange(reply, **fields)

    assert refused.json()["error"] == error
    assert refused.headers["cache-control"] == "no-store"


async def test_the_registration_id_cannot_exchange_a_code(visitor: Visitor):
    reply = await visitor.consent("plan")

    refused = await visitor.exchange(reply, "plan", client_id="dynamic_agent_client")

    assert refused.json()["error"] == "invalid_client"


@pytest.mark.parametrize("resource", [None, "http://127.0.0.1:8378/v2"])
async def test_the_plan_wants_the_same_resource_again(visitor: Visitor, resource: str | None):
    tokens = await visitor.sign_in("plan")

    refused = await visitor.refresh(tokens, "plan", resource=resource)

    assert refused.json()["error"] == "invalid_target"


async def test_the_plan_tells_when_a_refresh_makes_sense(visitor: Visitor):
    tokens = await visitor.sign_in("plan")

    assert tokens["earliest_refresh_at"] == "2027-01-15T08:30:00+00:00"
    assert "chatgpt.tokens.use.direct" in tokens["scope"].split()


@pytest.mark.parametrize(
    ("person", "fields"), [("practice-alan", {}), ("practice-ada", {"plan_use": "off"})], ids=["free", "unticked"]
)
async def test_plan_use_is_missing_where_it_was_not_granted(visitor: Visitor, person: str, fields: dict[str, str]):
    reply = await visitor.answer(await visitor.ask("plan"), person, **fields)

    tokens = (await visitor.exchange(reply, "plan")).json()

    assert "chatgpt.tokens.use.direct" not in tokens["scope"].split()


async def test_claude_wants_the_state_at_the_exchange(visitor: Visitor):
    reply = await visitor.consent("claude")

    refused = await visitor.exchange(reply, "claude", state=None)

    assert (refused.status_code, refused.json()["error"]) == (400, "oauth_request_parse_error")


async def test_claude_takes_no_form(visitor: Visitor):
    refused = await visitor.http.post("/claude/token", data={"grant_type": "refresh_token"})

    assert refused.json()["error"] == "invalid_request"


async def test_claude_tells_organization_and_account(visitor: Visitor):
    tokens = await visitor.sign_in("claude")

    assert tokens["access_token"].startswith("sandbox-oat-")
    assert tokens["organization"].keys() == {"uuid", "name"}
    assert tokens["account"]["email_address"] == "ada@practice.example"


async def test_codex_refreshes_with_json_too(visitor: Visitor):
    tokens = await visitor.sign_in("codex")
    body = {"grant_type": "refresh_token", "client_id": "practice-codex", "refresh_token": tokens["refresh_token"]}

    renewed = await visitor.http.post("/oauth/token", json=body)

    assert renewed.status_code == 200


async def test_a_refresh_can_narrow_the_scope_but_not_widen_it(visitor: Visitor):
    tokens = await visitor.sign_in(scope="openid offline_access")

    wider = await visitor.refresh(tokens, scope="openid models")
    narrower = await visitor.refresh(tokens, scope="openid")

    assert wider.json()["error"] == "invalid_scope"
    assert narrower.json()["scope"] == "openid"


async def test_without_offline_access_there_is_no_refresh_token(visitor: Visitor):
    tokens = await visitor.sign_in(scope="openid models")

    assert "refresh_token" not in tokens


async def test_a_refresh_token_rests_at_most_thirty_days(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.clock.advance(30 * 24 * 3600)

    late = await visitor.refresh(tokens)

    assert late.json()["error_code"] == "refresh_token_expired"


async def test_a_refresh_token_belongs_to_its_client(visitor: Visitor):
    first, second = await visitor.sign_in("plan"), await visitor.sign_in("plan")

    refused = await visitor.refresh({**first, "client_id": second["client_id"]}, "plan")

    assert refused.json()["error"] == "invalid_refresh_token"


@pytest.mark.parametrize(
    "content",
    ["grant_type=refresh_token&grant_type=refresh_token", "no pairs at all", b"\xff\xfe"],
)
async def test_an_unreadable_body_is_an_invalid_request(visitor: Visitor, content: str | bytes):
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    refused = await visitor.http.post("/token", content=content, headers=form)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content", ["[]", "{", '{"state": 1}', '{"a": "1", "a": "2"}', '"text"', '[["a", "b"]]'])
async def test_an_unreadable_json_body_is_an_invalid_request(visitor: Visitor, content: str):
    refused = await visitor.http.post("/claude/token", content=content, headers={"Content-Type": "application/json"})

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def revoke(visitor: Visitor, tokens: dict[str, Any], name: str) -> int:
    body = {"token": tokens[name], "client_id": tokens["client_id"]}
    return (await visitor.http.post("/revoke", data=body)).status_code


async def test_revoking_a_refresh_token_ends_its_access_tokens(visitor: Visitor):
    tokens = await visitor.sign_in()

    status = await revoke(visitor, tokens, "refresh_token")

    assert status == 200
    assert (await visitor.models(tokens["access_token"])).status_code == 401
    assert (await visitor.refresh(tokens)).json()["error_code"] == "refresh_token_invalidated"


async def test_revoking_an_access_token_leaves_the_refresh_token(visitor: Visitor):
    tokens = await visitor.sign_in()

    await revoke(visitor, tokens, "access_token")

    assert (await visitor.models(tokens["access_token"])).status_code == 401
    assert (await visitor.refresh(tokens)).status_code == 200


async def test_an_unknown_token_is_revoked_without_complaint(visitor: Visitor):
    tokens = {"refresh_token": "nobody's", "client_id": "doorkey"}

    assert await revoke(visitor, tokens, "refresh_token") == 200


async def test_a_client_cannot_revoke_for_another(visitor: Visitor):
    tokens = await visitor.sign_in("plan")

    status = await revoke(visitor, {**tokens, "client_id": "doorkey"}, "refresh_token")

    assert status == 400
    assert (await visitor.refresh(tokens, "plan")).status_code == 200


async def test_codex_revokes_with_json(visitor: Visitor):
    tokens = await visitor.sign_in("codex")
    body = {"token": tokens["refresh_token"], "token_type_hint": "refresh_token", "client_id": "practice-codex"}

    revoked = await visitor.http.post("/oauth/revoke", json=body)

    assert revoked.status_code == 200
    assert (await visitor.refresh(tokens, "codex")).json()["error"]["code"] == "refresh_token_invalidated"
