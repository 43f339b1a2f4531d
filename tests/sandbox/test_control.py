"""The home page, the faults and the log, as a person and as another program use them."""

from typing import Any

import pytest

from tests.sandbox.visitor import Visitor


async def test_the_sandbox_can_be_recognised(visitor: Visitor):
    health = await visitor.http.get("/sandbox/health")

    assert health.json() == {"sandbox": "doorkey", "version": 1}


async def test_a_fault_is_added_and_forgotten_over_http(visitor: Visitor):
    added = await visitor.http.post("/sandbox/faults", json={"kind": "slow", "times": 2, "seconds": 0.5})
    forgotten = await visitor.http.delete("/sandbox/faults")

    assert added.json()["faults"][0]["seconds"] == 0.5
    assert forgotten.status_code == 204
    assert visitor.sandbox.faults.waiting() == ()


@pytest.mark.parametrize(
    "wish", [{}, [], "slow", {"kind": "earthquake"}, {"kind": "slow", "times": "2"}, {"kind": "slow", "for": 1}]
)
async def test_a_wrong_wish_for_a_fault_is_refused(visitor: Visitor, wish: Any):
    refused = await visitor.http.post("/sandbox/faults", json=wish)

    assert refused.status_code == 422
    assert visitor.sandbox.faults.waiting() == ()


async def test_a_form_cannot_stand_for_json(visitor: Visitor):
    refused = await visitor.http.post("/sandbox/faults", content='{"kind": "slow"}')

    assert refused.status_code == 415


async def test_a_button_adds_a_fault_and_another_forgets_all(visitor: Visitor):
    await visitor.http.post("/faults", data={"kind": "garbage"})
    shown = (await visitor.http.get("/")).text
    await visitor.http.post("/faults", data={"clear": "1"})

    assert "Waiting:</strong> Garbage instead of JSON" in shown
    assert visitor.sandbox.faults.waiting() == ()


async def test_the_log_tells_refreshes_apart_and_holds_no_token(visitor: Visitor):
    tokens = await visitor.sign_in()
    await visitor.refresh(tokens)
    await visitor.refresh(tokens)

    log = await visitor.http.get("/sandbox/log")

    refreshes = [note for note in log.json()["log"] if note["action"] == "refresh_token"]
    assert [note["outcome"] for note in refreshes] == ["ok", "refresh_token_reused"]
    assert refreshes[0]["account"] == "Ada Lovelace"
    assert tokens["refresh_token"] not in log.text
    assert visitor.sandbox.log.count(action="refresh_token", outcome="ok") == 1


async def test_the_log_can_be_emptied(visitor: Visitor):
    await visitor.sign_in()

    await visitor.http.delete("/sandbox/log")

    assert visitor.sandbox.log.notes == []


async def test_the_log_tells_which_credential_served(visitor: Visitor):
    await visitor.models(visitor.sandbox.make_key())

    note = visitor.sandbox.log.notes[-1]

    assert (note.action, note.credential, note.outcome) == ("models", "api_key", "ok")


async def test_what_is_used_is_told_when_it_was_set_and_forgotten_again(visitor: Visitor):
    key = visitor.sandbox.make_key()
    asked = {"model": "practice-small", "messages": [{"role": "user", "content": "hi"}]}

    async def told() -> str | None:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await visitor.http.post("/v1/chat/completions", json=asked, headers=headers)
        return answer.headers.get("x-ratelimit-remaining-requests")

    set_to = await visitor.http.put("/sandbox/usage", json={"short": 85, "long": 20})
    while_set = await told()
    await visitor.http.delete("/sandbox/usage")

    assert (set_to.status_code, while_set, await told()) == (204, "15", None)


@pytest.mark.parametrize(
    "wish",
    [{}, [], {"short": 101, "long": 0}, {"short": -1, "long": 0}, {"short": "5", "long": 0}, {"short": True, "long": 0},
     {"short": 5, "long": 5, "resets_in": 0}, {"short": 5, "long": 5, "else": 1}],
)  # fmt: skip
async def test_a_usage_that_cannot_be_is_refused(visitor: Visitor, wish: Any):
    refused = await visitor.http.put("/sandbox/usage", json=wish)

    assert refused.status_code == 422
