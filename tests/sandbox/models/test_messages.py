"""The Messages API, through Anthropic's own SDK."""

from typing import Any

import anthropic
import pytest

from tests.sandbox.models.sdks import anthropic_client
from tests.sandbox.visitor import Visitor

SAY: Any = {"model": "practice-large", "max_tokens": 100, "messages": [{"role": "user", "content": "say: one two"}]}
READ: Any = {"name": "read_file", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}


async def test_a_key_gets_a_whole_answer(visitor: Visitor, key: str):
    client = anthropic_client(visitor, key=key)

    message = await client.messages.create(**SAY)

    assert message.content[0].text == "one two"
    assert message.stop_reason == "end_turn"


async def test_the_sdk_puts_a_streamed_answer_together(visitor: Visitor):
    tokens = await visitor.sign_in("claude")
    client = anthropic_client(visitor, token=tokens["access_token"])

    async with client.messages.stream(**SAY) as stream:
        pieces = [text async for text in stream.text_stream]
        message = await stream.get_final_message()

    assert pieces == ["one ", "two"]
    assert message.usage.output_tokens > 0


async def test_a_wish_becomes_a_tool_use_and_its_result_a_summary(visitor: Visitor, key: str):
    client = anthropic_client(visitor, key=key)
    wish: Any = {"role": "user", "content": "Read src/main.py, please"}
    first = await client.messages.create(model="practice-small", max_tokens=100, messages=[wish], tools=[READ])
    use = next(block for block in first.content if block.type == "tool_use")
    result: Any = {"type": "tool_result", "tool_use_id": use.id, "content": "print(1)"}
    turns: Any = [wish, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]

    second = await client.messages.create(model="practice-small", max_tokens=100, messages=turns, tools=[READ])

    assert (use.name, use.input, first.stop_reason) == ("read_file", {"path": "src/main.py"}, "tool_use")
    assert "print(1)" in second.content[0].text


async def test_a_streamed_tool_use_is_put_together(visitor: Visitor, key: str):
    client = anthropic_client(visitor, key=key)
    order: Any = [{"role": "user", "content": 'call write_file {"path": "a.txt", "content": "A"}'}]

    async with client.messages.stream(model="practice-small", max_tokens=100, messages=order) as stream:
        message = await stream.get_final_message()

    assert message.content[0].input == {"path": "a.txt", "content": "A"}


async def test_an_oauth_token_needs_its_beta(visitor: Visitor):
    tokens = await visitor.sign_in("claude")
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "anthropic-version": "2023-06-01"}

    refused = await visitor.http.post("/v1/messages", json=SAY, headers=headers)

    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize(("version", "status"), [("2023-06-01", 200), ("2026-10-21", 200), ("2020-01-01", 400)])
async def test_two_versions_are_served(visitor: Visitor, key: str, version: str, status: int):
    headers = {"x-api-key": key, "anthropic-version": version}

    answer = await visitor.http.post("/v1/messages", json=SAY, headers=headers)

    assert answer.status_code == status


async def test_max_tokens_is_demanded(visitor: Visitor, key: str):
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    refused = await visitor.http.post("/v1/messages", json={**SAY, "max_tokens": None}, headers=headers)

    assert refused.json()["error"]["message"] == "max_tokens: Field required"


async def test_an_unknown_model_is_not_found(visitor: Visitor, key: str):
    client = anthropic_client(visitor, key=key)

    with pytest.raises(anthropic.NotFoundError):
        await client.messages.create(model="claude-0", max_tokens=1, messages=SAY["messages"])
