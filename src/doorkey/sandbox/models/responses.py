"""OpenAI's Responses API, with the plain rules and with those of a shared plan and of Codex."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response

from doorkey.sandbox.clients import Dialect
from doorkey.sandbox.models.access import Caller, caller
from doorkey.sandbox.models.reading import known_model, objects, read_object, text_of, tool
from doorkey.sandbox.models.streaming import Event, EventStream
from doorkey.sandbox.persona import Answer, Call, Prompt, answer, estimate
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import LIMIT, LIMIT_CODES, USED_UP, Exchange

_PLAN_FORBIDS = (
    "background", "conversation", "max_output_tokens", "max_tool_calls", "metadata", "moderation", "multi_agent",
    "previous_response_id", "prompt", "prompt_cache_retention", "safety_identifier", "temperature", "top_logprobs",
    "top_p", "truncation", "user",
)  # fmt: skip
_CODEX_FORBIDS = (
    "temperature", "top_p", "max_output_tokens", "presence_penalty", "frequency_penalty", "seed", "metadata",
    "top_logprobs", "truncation", "service_tier",
)  # fmt: skip


async def create_response(exchange: Exchange) -> Response:
    """Serve `POST /v1/responses`."""
    exchange.note.action = "responses"
    who = caller(exchange, None, Dialect.PLAIN, Dialect.PLAN)
    body = await read_object(exchange.request)
    if who.dialect is Dialect.PLAN:
        _check_plan(body)
    return _reply(exchange, who, body)


async def create_codex_response(exchange: Exchange) -> Response:
    """Serve `POST /backend-api/codex/responses`."""
    exchange.note.action = "responses"
    who = caller(exchange, Dialect.CODEX)
    body = await read_object(exchange.request)
    _check_codex(body)
    return _reply(exchange, who, body)


def _check_plan(body: dict[str, Any]) -> None:
    """Refuse by name what a shared plan does not serve (protocols 1.8)."""
    wrong = [name for name in _PLAN_FORBIDS if body.get(name) is not None]
    wrong += [name for name, value in (("store", False), ("stream", True)) if body.get(name) is not value]
    tools = body.get("tools") or []
    if any(item.get("type") not in {"function", "web_search", "custom"} for item in objects(tools, "tools")):
        wrong.append("tools")
    given = body.get("input")
    if isinstance(given, list) and any(item.get("role") == "system" for item in objects(given, "input")):
        wrong.append("input")
    if wrong:
        code = "subscription_sharing_unsupported_capability"
        raise Refusal(code, f"A shared plan does not serve this value of {wrong[0]}.", param=wrong[0])


def _check_codex(body: dict[str, Any]) -> None:
    wrong = next((name for name in _CODEX_FORBIDS if body.get(name) is not None), None)
    if wrong is not None:
        raise Refusal("unsupported_parameter", f"Unsupported parameter: {wrong}")
    for name, value in (("store", False), ("stream", True)):
        if body.get(name) is not value:
            raise Refusal("unsupported_value", f"{name.capitalize()} must be set to {str(value).lower()}")
    if not body.get("instructions"):
        raise Refusal("missing_instructions", "Instructions are required")


def _reply(exchange: Exchange, who: Caller, body: dict[str, Any]) -> Response:
    if body.get("previous_response_id") is not None:
        message = "Nothing is stored here: send the whole conversation."
        raise Refusal("previous_response_not_found", message, status=404, param="previous_response_id")
    prompt = _read(body)
    said = answer(prompt, who)
    draft = _Draft(prompt, said, created_at=int(exchange.world.clock()))
    if not body.get("stream"):
        return JSONResponse(draft.response("completed", draft.items()))
    # The plan routes end with an empty `output`: clients rebuild it from the items (protocols 1.8).
    repeats_output = who.dialect not in {Dialect.PLAN, Dialect.CODEX}
    events = draft.events(repeats_output=repeats_output)
    return EventStream(exchange, events, said.pause, last_word=draft.failed(LIMIT_CODES.get(who.dialect, USED_UP)))


def _read(body: dict[str, Any]) -> Prompt:
    model = known_model(body)
    given = body.get("input", "")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else objects(given, "input")
    message, results = "", list[str]()
    for item in items:
        if item.get("role") == "user":
            message, results = text_of(item.get("content")), list[str]()
        elif item.get("type") == "function_call_output":
            results.append(text_of(item.get("output")))
    tools = tuple(
        tool(item.get("name"), item.get("parameters"))
        for item in objects(body.get("tools") or [], "tools")
        if item.get("type") == "function"
    )
    size = estimate(json.dumps([body.get("instructions"), items]))
    return Prompt(model=model, message=message, results=tuple(results), tools=tools, size=size)


class _Draft:
    """An answer on its way out: its items, and the events that build them."""

    def __init__(self, prompt: Prompt, said: Answer, *, created_at: int) -> None:
        self._prompt = prompt
        self._said = said
        self._created_at = created_at
        self._id = f"resp_{secrets.token_hex(16)}"
        self._message_id = f"msg_{secrets.token_hex(12)}"
        self._calls = [(f"fc_{secrets.token_hex(12)}", f"call_{secrets.token_hex(12)}", call) for call in said.calls]

    def items(self) -> list[dict[str, Any]]:
        """Give the finished output."""
        text = [self._message("completed", self._said.text)] if self._said.text else []
        return text + [_function_call(item, call_id, call, "completed") for item, call_id, call in self._calls]

    def response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        """Give the response object; usage only when it is complete."""
        spent, made = self._prompt.size, self._said.size
        usage = {
            "input_tokens": spent,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": spent + made,
        }
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_at,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self._prompt.model,
            "output": output,
            "parallel_tool_calls": True,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": usage if status == "completed" else None,
        }

    def events(self, *, repeats_output: bool) -> Iterator[Event]:
        """Give the events in their order, numbered."""
        for number, event in enumerate(self._unnumbered(repeats_output=repeats_output)):
            body = {**event, "sequence_number": number}
            yield Event(body, event["type"], is_piece=event["type"].endswith(".delta"))

    def failed(self, code: str) -> Event:
        """Give the event that ends an answer which has begun."""
        failed = self.response("failed", []) | {"error": {"code": code, "message": LIMIT}}
        return Event({"type": "response.failed", "response": failed, "sequence_number": 999}, "response.failed")

    def _unnumbered(self, *, repeats_output: bool) -> Iterator[dict[str, Any]]:
        started = self.response("in_progress", [])
        yield {"type": "response.created", "response": started}
        yield {"type": "response.in_progress", "response": started}
        if self._said.text:
            yield from self._text_events()
        for place, (item, call_id, call) in enumerate(self._calls, start=1 if self._said.text else 0):
            yield from _call_events(place, item, call_id, call)
        output = self.items() if repeats_output else []
        yield {"type": "response.completed", "response": self.response("completed", output)}

    def _text_events(self) -> Iterator[dict[str, Any]]:
        at = {"item_id": self._message_id, "output_index": 0, "content_index": 0}
        text = self._said.text
        started = self._message("in_progress", None)
        yield {"type": "response.output_item.added", "output_index": 0, "item": started}
        yield {"type": "response.content_part.added", **at, "part": _text_part("")}
        for piece in self._said.pieces:
            yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": _text_part(text)}
        yield {"type": "response.output_item.done", "output_index": 0, "item": self._message("completed", text)}

    def _message(self, status: str, text: str | None) -> dict[str, Any]:
        content = [] if text is None else [_text_part(text)]
        return {"id": self._message_id, "type": "message", "role": "assistant", "status": status, "content": content}


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _function_call(item: str, call_id: str, call: Call, status: str) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments)) if status == "completed" else ""
    return {
        "id": item,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": call.tool,
        "arguments": arguments,
    }


def _call_events(place: int, item: str, call_id: str, call: Call) -> Iterator[dict[str, Any]]:
    at = {"item_id": item, "output_index": place}
    arguments = json.dumps(dict(call.arguments))
    started = _function_call(item, call_id, call, "in_progress")
    yield {"type": "response.output_item.added", "output_index": place, "item": started}
    for start in range(0, len(arguments), 24):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": arguments[start : start + 24]}
    yield {"type": "response.function_call_arguments.done", **at, "name": call.tool, "arguments": arguments}
    done = _function_call(item, call_id, call, "completed")
    yield {"type": "response.output_item.done", "output_index": place, "item": done}
