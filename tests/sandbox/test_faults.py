"""What goes wrong on request, seen from a client without a connection of its own."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from doorkey.sandbox import Sandbox
from doorkey.sandbox.faults import KINDS, Faults
from tests.sandbox.visitor import Visitor

SAY: Any = {"model": "practice-small", "input": "say: one two three four five", "stream": True}


async def test_an_expired_token_is_refused_until_it_is_renewed(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("expired_token")

    first = await visitor.models(tokens["access_token"])
    second = await visitor.models(tokens["access_token"])
    renewed = (await visitor.refresh(tokens)).json()

    assert first.json()["error"]["code"] == second.json()["error"]["code"] == "token_expired"
    assert (await visitor.models(renewed["access_token"])).status_code == 200


async def test_a_revoked_grant_is_dead_at_the_token_endpoint(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("revoked_grant", endpoint="token")

    refused = await visitor.refresh(tokens)

    assert refused.json()["error_code"] == "refresh_token_invalidated"
    assert (await visitor.models(tokens["access_token"])).status_code == 401


async def test_a_revoked_grant_is_dead_at_the_models(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("revoked_grant", endpoint="model")

    refused = await visitor.models(tokens["access_token"])

    assert refused.json()["error"]["code"] == "token_revoked"
    assert (await visitor.refresh(tokens)).json()["error"] == "invalid_grant"


async def test_a_grant_can_be_revoked_before_its_code_is_exchanged(visitor: Visitor):
    reply = await visitor.consent()
    visitor.sandbox.faults.add("revoked_grant")

    refused = await visitor.exchange(reply)

    assert refused.json()["error"] == "invalid_grant"


async def test_a_limit_with_reset_tells_how_long(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("limit_with_reset", seconds=7)

    refused = await visitor.models(tokens["access_token"])

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")


async def test_a_shared_plan_tells_no_reset(visitor: Visitor):
    tokens = await visitor.sign_in("plan")
    visitor.sandbox.faults.add("limit_without_reset", endpoint="model")

    refused = await visitor.models(tokens["access_token"])

    assert refused.json()["error"]["code"] == "subscription_sharing_usage_limit_exceeded"
    assert "retry-after" not in refused.headers


async def test_codex_tells_when_its_limit_resets(visitor: Visitor):
    tokens = await visitor.sign_in("codex")
    visitor.sandbox.faults.add("limit_with_reset", seconds=90)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    refused = await visitor.http.get("/backend-api/codex/models?client_version=1", headers=headers)

    error = refused.json()["error"]
    assert (error["type"], error["resets_in_seconds"]) == ("usage_limit_reached", 90)
    assert error["resets_at"] == visitor.clock.now + 90


async def test_out_of_order_is_met_as_often_as_asked(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("unavailable", times=2, endpoint="token")

    statuses = [(await visitor.refresh(tokens)).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


async def test_a_slow_answer_comes_in_the_end(visitor: Visitor):
    key = visitor.sandbox.make_key()
    visitor.sandbox.faults.add("slow", seconds=0)

    answer = await visitor.models(key)

    assert answer.status_code == 200
    assert visitor.sandbox.log.notes[-1].fault == "slow"


async def test_garbage_is_no_json(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("garbage")

    answer = await visitor.refresh(tokens)

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert (await visitor.refresh(tokens)).status_code == 200


async def test_a_lost_reply_has_rotated_all_the_same(visitor: Visitor):
    tokens = await visitor.sign_in()
    visitor.sandbox.faults.add("reply_lost")

    with pytest.raises(ConnectionResetError):
        await visitor.refresh(tokens)

    assert (await visitor.refresh(tokens)).json()["error_code"] == "refresh_token_reused"


async def test_a_cut_stream_waits_for_an_answer_to_cut(visitor: Visitor):
    key = visitor.sandbox.make_key()
    visitor.sandbox.faults.add("cut_stream")

    listed = await visitor.models(key)

    assert listed.status_code == 200
    with pytest.raises(ConnectionResetError):
        await visitor.http.post("/v1/responses", json=SAY, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
async def test_a_short_answer_is_cut_before_it_is_complete(visitor: Visitor, path: str):
    body = {"model": "practice-small", "stream": True, "input": "say: hi"}
    body["messages"] = [{"role": "user", "content": "say: hi"}]
    received: list[bytes] = []
    visitor.sandbox.faults.add("cut_stream", chunks=50)

    with pytest.raises(ConnectionResetError):
        await listen(visitor.sandbox, path, body, received)

    text = b"".join(received).decode()
    assert "hi" in text
    assert "stop" not in text
    assert "completed" not in text


async def listen(sandbox: Sandbox, path: str, body: dict[str, Any], received: list[bytes]) -> None:
    """Call the app without a transport, which would drop what came before the cut."""
    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {sandbox.make_key()}".encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    requests: list[dict[str, Any]] = [{"type": "http.request", "body": json.dumps(body).encode()}]

    async def receive() -> dict[str, Any]:
        return requests.pop() if requests else await asyncio.Future()

    async def send(message: MutableMapping[str, Any]) -> None:
        received.append(message.get("body", b""))

    await sandbox.app(scope, receive, send)


async def test_a_wrong_clock_shows_in_the_date(visitor: Visitor):
    key = visitor.sandbox.make_key()
    visitor.sandbox.faults.add("wrong_date", seconds=-3600)

    skewed, right = await visitor.models(key), await visitor.models(key)

    assert skewed.headers["date"] == "Fri, 15 Jan 2027 07:00:00 GMT"
    assert right.headers["date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


def test_the_oldest_fault_comes_first():
    faults = Faults()
    faults.add("slow")
    faults.add("unavailable")

    met = [faults.take("model").kind, faults.take("model").kind]

    assert met == ["slow", "unavailable"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("earthquake", {}), ("reply_lost", {"endpoint": "model"}), ("slow", {"times": 0}), ("cut_stream", {"chunks": -1})],
)
def test_a_fault_that_cannot_happen_is_refused(kind: str, options: dict[str, Any]):
    faults = Faults()

    with pytest.raises(ValueError, match=kind):
        faults.add(kind, **options)

    assert faults.waiting() == ()


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_fault_has_a_title_and_says_what_it_shows(kind: str):
    assert KINDS[kind].title
    assert KINDS[kind].shows.endswith(".")


@pytest.mark.parametrize(
    ("path", "code"), [("/v1/responses", "insufficient_quota"), ("/v1/chat/completions", "insufficient_quota"),
                       ("/v1/messages", "overloaded_error")],
)  # fmt: skip
async def test_an_answer_that_meets_the_limit_begins_and_ends_with_an_error(visitor: Visitor, path: str, code: str):
    key = visitor.sandbox.make_key()
    body: dict[str, object] = {"model": "practice-small", "stream": True, "input": "say: one two three four five"}
    body["messages"] = [{"role": "user", "content": "say: one two three four five"}]
    body["max_tokens"] = 100
    visitor.sandbox.faults.add("limit_in_stream", chunks=2)

    answer = await visitor.http.post(
        path, json=body, headers={"Authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
    )

    events = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert answer.status_code == 200
    assert code in events[-1]
    assert "two" in answer.text
    assert "three" not in answer.text
