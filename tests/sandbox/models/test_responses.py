"""The Responses API, through OpenAI's own SDK and by hand."""

from typing import Any

import openai
import pytest

from tests.sandbox.models.sdks import openai_client
from tests.sandbox.visitor import Visitor

WRITE: Any = {
    "type": "function",
    "name": "write_file",
    "strict": False,
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}},
}
PLAN_BODY: Any = {"model": "practice-small", "input": "say: one two", "store": False, "stream": True}


async def test_a_key_gets_a_whole_answer(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    response = await client.responses.create(model="practice-small", input="say: it works")

    assert response.output_text == "it works"
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


async def test_the_sdk_puts_a_streamed_answer_together(visitor: Visitor):
    tokens = await visitor.sign_in()
    client = openai_client(visitor, tokens["access_token"])

    async with client.responses.stream(model="practice-large", input="say: one two three") as stream:
        pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        response = await stream.get_final_response()

    assert pieces == ["one ", "two ", "three"]
    assert response.output_text == "one two three"


async def test_a_wish_becomes_a_tool_call_and_its_result_a_summary(visitor: Visitor, key: str):
    client = openai_client(visitor, key)
    wish: Any = [{"role": "user", "content": 'Please write "Hi" into a file called notes.md'}]
    first = await client.responses.create(model="practice-small", input=wish, tools=[WRITE])
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "3 bytes written"}
    turns: Any = [*wish, *first.output, result]

    second = await client.responses.create(model="practice-small", input=turns)

    assert (call.name, call.arguments) == ("write_file", '{"path": "notes.md", "content": "Hi\\n"}')
    assert "3 bytes written" in second.output_text


async def test_a_tool_call_is_streamed_with_its_arguments(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    async with client.responses.stream(model="practice-small", input='call run {"command": "ls"}') as stream:
        parts = [event.delta async for event in stream if event.type == "response.function_call_arguments.delta"]
        response = await stream.get_final_response()

    assert "".join(parts) == '{"command": "ls"}'
    assert response.output[0].type == "function_call"


async def test_an_unknown_model_is_not_found(visitor: Visitor, key: str):
    client = openai_client(visitor, key)

    with pytest.raises(openai.NotFoundError) as refused:
        await client.responses.create(model="gpt-0", input="hello")

    assert refused.value.code == "model_not_found"


async def test_a_shared_plan_ends_with_an_empty_output(visitor: Visitor):
    tokens = await visitor.sign_in("plan")
    client = openai_client(visitor, tokens["access_token"])

    events = [event async for event in await client.responses.create(**PLAN_BODY)]

    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done[0].content[0].text == "one two"
    assert events[-1].type == "response.completed"
    assert events[-1].response.output == []


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"store": True}, "store"),
        ({"store": None}, "store"),
        ({"stream": False}, "stream"),
        ({"temperature": 0.5}, "temperature"),
        ({"max_output_tokens": 100}, "max_output_tokens"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"tools": [{"type": "file_search"}]}, "tools"),
        ({"input": [{"role": "system", "content": "Be brief."}]}, "input"),
    ],
)
async def test_a_shared_plan_refuses_by_name(visitor: Visitor, change: dict[str, Any], param: str):
    tokens = await visitor.sign_in("plan")

    refused = await visitor.http.post(
        "/v1/responses", json={**PLAN_BODY, **change}, headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )

    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (400, param)
    assert error["code"] == "subscription_sharing_unsupported_capability"


async def test_a_shared_plan_serves_no_chat_completions(visitor: Visitor):
    tokens = await visitor.sign_in("plan")
    client = openai_client(visitor, tokens["access_token"])

    with pytest.raises(openai.PermissionDeniedError) as refused:
        await client.chat.completions.create(model="practice-small", messages=[{"role": "user", "content": "hi"}])

    assert refused.value.code == "subscription_sharing_route_not_supported"


@pytest.mark.parametrize(
    ("person", "plan_use", "code"),
    [
        ("practice-alan", "on", "subscription_sharing_user_not_eligible"),
        ("practice-ada", "off", "chatpass_v2_scope_not_authorized"),
    ],
)
async def test_identity_alone_serves_no_answers(visitor: Visitor, person: str, plan_use: str, code: str):
    reply = await visitor.answer(await visitor.ask("plan"), person, plan_use=plan_use)
    tokens = (await visitor.exchange(reply, "plan")).json()

    refused = await visitor.models(tokens["access_token"])

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, code)


async def test_codex_is_served_at_its_own_backend(visitor: Visitor):
    tokens = await visitor.sign_in("codex")
    client = openai_client(visitor, tokens["access_token"], "/backend-api/codex")

    events = [event async for event in await client.responses.create(**PLAN_BODY, instructions="Be brief.")]

    assert events[-1].type == "response.completed"


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"temperature": 1}, "Unsupported parameter: temperature"),
        ({"store": True}, "Store must be set to false"),
        ({"stream": False}, "Stream must be set to true"),
        ({"instructions": None}, "Instructions are required"),
    ],
)
async def test_codex_refuses_in_one_line(visitor: Visitor, change: dict[str, Any], detail: str):
    tokens = await visitor.sign_in("codex")
    body = {**PLAN_BODY, "instructions": "Be brief.", **change}

    refused = await visitor.http.post(
        "/backend-api/codex/responses", json=body, headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )

    assert (refused.status_code, refused.json()) == (400, {"detail": detail})


async def test_a_codex_token_works_at_its_backend_only(visitor: Visitor):
    tokens = await visitor.sign_in("codex")

    refused = await visitor.models(tokens["access_token"])

    assert refused.status_code == 401


@pytest.mark.parametrize("content", ["[]", "not json", '{"model": "practice-small", "input": [1]}'])
async def test_an_unreadable_request_is_refused(visitor: Visitor, key: str, content: str):
    headers = {"Authorization": f"Bearer {key}"}

    refused = await visitor.http.post("/v1/responses", content=content, headers=headers)

    assert refused.status_code == 400
