"""OpenAI's Chat Completions."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.models.access import caller
from doorkey.sandbox.models.reading import known_model, objects, read_object, text_of, tool
from doorkey.sandbox.models.streaming import Event, EventStream
from doorkey.sandbox.persona import Answer, Prompt, answer, estimate
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import LIMIT, Exchange


async def create_chat_completion(exchange: Exchange) -> Response:
    """Serve `POST /v1/chat/completions`."""
    exchange.note.action = "chat"
    who = caller(exchange, None, Dialect.PLAIN, Dialect.ROUTER)
    body = await read_object(exchange.request)
    prompt = _read(body)
    said = answer(prompt, who)
    frame = {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "created": int(exchange.world.clock()),
        "model": prompt.model,
    }
    if not body.get("stream"):
        return JSONResponse(_whole(frame, prompt, said))
    options = body.get("stream_options")
    wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    last_word = Event({"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": LIMIT}})
    events = _events(frame, prompt, said, wants_usage=wants_usage)
    return EventStream(exchange, events, said.pause, last_word=last_word)


def _read(body: dict[str, Any]) -> Prompt:
    model = known_model(body)
    messages = objects(body.get("messages"), "messages")
    if not messages:
        raise Refusal("invalid_request", "messages is empty", param="messages")
    message, results = "", list[str]()
    for item in messages:
        if item.get("role") == "user":
            message, results = text_of(item.get("content")), list[str]()
        elif item.get("role") == "tool":
            results.append(text_of(item.get("content")))
    offered = objects(body.get("tools") or [], "tools")
    functions = objects([item.get("function") for item in offered], "tools")
    tools = tuple(tool(function.get("name"), function.get("parameters")) for function in functions)
    size = estimate(json.dumps(messages))
    return Prompt(model=model, message=message, results=tuple(results), tools=tools, size=size)


def _whole(frame: dict[str, Any], prompt: Prompt, said: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None}
    calls = _calls(said)
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(said)}
    return {**frame, "object": "chat.completion", "choices": [choice], "usage": _usage(prompt, said)}


def _events(frame: dict[str, Any], prompt: Prompt, said: Answer, *, wants_usage: bool) -> Iterator[Event]:
    frame = {**frame, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], reason: str | None = None, *, is_piece: bool = False) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return Event({**frame, "choices": [choice]}, is_piece=is_piece)

    yield chunk({"role": "assistant", "content": ""})
    for piece in said.pieces:
        yield chunk({"content": piece}, is_piece=True)
    for place, call in enumerate(_calls(said)):
        arguments = call["function"]["arguments"]
        opening = {**call, "index": place, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield chunk({"tool_calls": [opening]})
        for start in range(0, len(arguments), 24):
            part = {"index": place, "function": {"arguments": arguments[start : start + 24]}}
            yield chunk({"tool_calls": [part]}, is_piece=True)
    yield chunk({}, _reason(said))
    if wants_usage:
        yield Event({**frame, "choices": [], "usage": _usage(prompt, said)})
    yield Event("[DONE]")


def _calls(said: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{secrets.token_hex(12)}",
            "type": "function",
            "function": {"name": call.tool, "arguments": json.dumps(dict(call.arguments))},
        }
        for call in said.calls
    ]


def _reason(said: Answer) -> str:
    return "tool_calls" if said.calls else "stop"


def _usage(prompt: Prompt, said: Answer) -> dict[str, int]:
    spent, made = prompt.size, said.size
    return {"prompt_tokens": spent, "completion_tokens": made, "total_tokens": spent + made}
