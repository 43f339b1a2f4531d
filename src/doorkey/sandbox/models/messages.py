"""Anthropic's Messages API, for keys and for OAuth tokens with the beta header that they need."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.models.access import Caller, caller
from doorkey.sandbox.models.reading import known_model, objects, read_object, text_of, tool
from doorkey.sandbox.models.streaming import Event, EventStream
from doorkey.sandbox.persona import Answer, Prompt, answer, estimate
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange

_VERSIONS = {"2023-06-01", "2026-10-21"}
_OAUTH_BETA = "oauth-2025-04-20"


async def create_message(exchange: Exchange) -> Response:
    """Serve `POST /v1/messages`."""
    exchange.note.action = "messages"
    who = caller(exchange, None, Dialect.PLAIN, Dialect.CLAUDE)
    check_anthropic_headers(exchange.request, who)
    body = await read_object(exchange.request)
    prompt = _read(body)
    said = answer(prompt, who)
    message = {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "stop_sequence": None,
    }
    if not body.get("stream"):
        whole = {**message, "content": _blocks(said), "stop_reason": _reason(said), "usage": _usage(prompt, said.size)}
        return JSONResponse(whole)
    # Anthropic knows no limit inside an answer, but it may be too busy to go on.
    last_word = Event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")
    return EventStream(exchange, _events(message, prompt, said), said.pause, last_word=last_word)


def check_anthropic_headers(request: Request, who: Caller) -> None:
    """Demand a known version, and the OAuth beta of every token that is no key (protocols 3.4)."""
    if request.headers.get("anthropic-version") not in _VERSIONS:
        raise Refusal("invalid_request_error", "anthropic-version is missing or not one that is served")
    betas = {beta.strip() for beta in request.headers.get("anthropic-beta", "").split(",")}
    if who.dialect is not None and _OAUTH_BETA not in betas:
        raise Refusal("authentication_error", f"an OAuth token needs anthropic-beta: {_OAUTH_BETA}", status=401)


def _read(body: dict[str, Any]) -> Prompt:
    model = known_model(body)
    if not isinstance(body.get("max_tokens"), int):
        raise Refusal("invalid_request_error", "max_tokens: Field required", param="max_tokens")
    messages = objects(body.get("messages"), "messages")
    message, results = "", list[str]()
    for item in messages:
        if item.get("role") != "user":
            continue
        answered = [block for block in _parts(item) if block.get("type") == "tool_result"]
        if answered:
            results += [text_of(block.get("content")) for block in answered]
        else:
            message, results = text_of(item.get("content")), list[str]()
    tools = tuple(
        tool(item.get("name"), item.get("input_schema")) for item in objects(body.get("tools") or [], "tools")
    )
    size = estimate(json.dumps([body.get("system"), messages]))
    return Prompt(model=model, message=message, results=tuple(results), tools=tools, size=size)


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _events(message: dict[str, Any], prompt: Prompt, said: Answer) -> Iterator[Event]:
    def event(kind: str, *, is_piece: bool = False, **fields: Any) -> Event:
        return Event({"type": kind, **fields}, kind, is_piece=is_piece)

    started = {**message, "content": [], "stop_reason": None, "usage": _usage(prompt, 1)}
    yield event("message_start", message=started)
    yield event("ping")
    for index, block in enumerate(_blocks(said)):
        opening = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield event("content_block_start", index=index, content_block=opening)
        for delta in _deltas(block, said):
            yield event("content_block_delta", is_piece=True, index=index, delta=delta)
        yield event("content_block_stop", index=index)
    ending = {"stop_reason": _reason(said), "stop_sequence": None}
    yield event("message_delta", delta=ending, usage={"output_tokens": said.size})
    yield event("message_stop")


def _deltas(block: dict[str, Any], said: Answer) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for piece in said.pieces:
            yield {"type": "text_delta", "text": piece}
        return
    arguments = json.dumps(block["input"])
    for start in range(0, len(arguments), 24):
        yield {"type": "input_json_delta", "partial_json": arguments[start : start + 24]}


def _blocks(said: Answer) -> list[dict[str, Any]]:
    text = [{"type": "text", "text": said.text}] if said.text else []
    return text + [
        {"type": "tool_use", "id": f"toolu_{secrets.token_hex(12)}", "name": call.tool, "input": dict(call.arguments)}
        for call in said.calls
    ]


def _reason(said: Answer) -> str:
    return "tool_use" if said.calls else "end_turn"


def _usage(prompt: Prompt, made: int) -> dict[str, int]:
    return {
        "input_tokens": prompt.size,
        "output_tokens": made,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
