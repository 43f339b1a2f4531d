"""Chat Completions, through OpenAI's own SDK."""

from typing import Any

from tests.sandbox.models.sdks import openai_client
from tests.sandbox.visitor import Visitor

RUN: Any = {
    "type": "function",
    "function": {
        "name": "run_command",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
    },
}


async def test_a_key_gets_a_whole_answer(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    completion = await client.chat.completions.create(
        model="practice-small", messages=[{"role": "user", "content": "say: it works"}]
    )

    assert completion.choices[0].message.content == "it works"
    assert completion.choices[0].finish_reason == "stop"


async def test_a_streamed_answer_ends_with_its_usage(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    chunks = [
        chunk
        async for chunk in await client.chat.completions.create(
            model="practice-small",
            messages=[{"role": "user", "content": "say: one two"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    ]

    text = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert text == ["one ", "two"]
    assert chunks[-1].usage.total_tokens > 0


async def test_the_sdk_puts_a_streamed_tool_call_together(visitor: Visitor, key: str):
    client = openai_client(visitor, key)
    wish: Any = [{"role": "user", "content": "Please run `git status --short`"}]

    async with client.chat.completions.stream(model="practice-small", messages=wish, tools=[RUN]) as stream:
        completion = await stream.get_final_completion()

    call = completion.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("run_command", '{"command": "git status --short"}')
    assert completion.choices[0].finish_reason == "tool_calls"


async def test_a_denied_call_is_taken_kindly(visitor: Visitor, key: str):
    client = openai_client(visitor, key)
    call = {"id": "call_1", "type": "function", "function": {"name": "run_command", "arguments": "{}"}}
    messages: Any = [
        {"role": "user", "content": "run it"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "The tool call was denied: not on a Friday."},
    ]

    completion = await client.chat.completions.create(model="practice-small", messages=messages, tools=[RUN])

    said = completion.choices[0].message.content or ""
    assert "**denied**" in said
    assert "not on a Friday" in said
