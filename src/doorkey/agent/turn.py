"""A turn of the model: from a prompt, or from a person's decisions, to an answer or to the next calls to decide."""

from collections.abc import AsyncIterable, Sequence
from functools import cache

import pydantic_ai
from pydantic_ai import Agent, AgentStreamEvent, RunContext, capture_run_messages
from pydantic_ai.messages import (
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    UserPromptPart,
    repair_messages,
)
from pydantic_ai.models import Model
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved, ToolDenied
from pydantic_ai.toolsets import AbstractToolset
from pydantic_ai.usage import RunUsage

from doorkey.agent.docket import Call
from doorkey.agent.past import Past
from doorkey.agent.tape import Tape
from doorkey.agent.toolset import RETRIES
from doorkey.domain.approval import Approval, Decision
from doorkey.domain.conversation import EventKind

INSTRUCTIONS = "You are a helpful assistant in Doorkey, a local chat app. Answer in Markdown."
WITH_FOLDER = (
    "The person chose a folder that you can work in with your tools; paths are relative to it. They are asked before "
    "a file is written or a command is run, and may say no. Never claim to have done what a tool did not confirm."
)

Verdict = bool | ToolApproved | ToolDenied


class Turn:
    """One run's exchange with its model, after what was said in its chat before."""

    def __init__(self, model: Model, tools: AbstractToolset[None] | None, past: Past, tape: Tape) -> None:
        self._model = model
        self._tools = tools
        self._tape = tape
        self._messages = _messages(past)
        self._known = _substance(self._messages)
        self._repeated: frozenset[str] = frozenset()
        self.usage = RunUsage()

    async def begin(self, prompt: str) -> list[Call]:
        """Ask the model, and return the calls that a person must decide; none when the answer is complete."""
        self._messages = repair_messages(self._messages)
        self._known = _substance(self._messages)
        return await self._run(prompt, None)

    async def go_on(self, rows: Sequence[Approval]) -> list[Call]:
        """Run what was allowed, tell the model what was not, and return the next calls to decide.

        Only rows of calls that still wait in the messages are looked at.
        """
        waiting = _waiting(self._messages)
        decided: dict[str, Verdict] = {row.call_id: _verdict(row) for row in rows if row.call_id in waiting}
        self._repeated = frozenset(decided)
        return await self._run(None, DeferredToolResults(approvals=decided))

    @property
    def heard(self) -> bool:
        """Whether anything was said or done since the turn was made."""
        return _substance(self._messages) > self._known

    def history(self) -> bytes | None:
        """Write the messages as JSON; None when there is no answer in them, so that a bad prompt is not kept."""
        sound = _sound(self._messages)
        return ModelMessagesTypeAdapter.dump_json(sound) if _substance(sound) > self._known else None

    async def _run(self, prompt: str | None, decided: DeferredToolResults | None) -> list[Call]:
        past = self._messages
        with capture_run_messages() as self._messages:
            result = await _agent().run(
                prompt,
                message_history=past,
                deferred_tool_results=decided,
                model=self._model,
                instructions=INSTRUCTIONS if self._tools is None else f"{INSTRUCTIONS}\n{WITH_FOLDER}",
                toolsets=[] if self._tools is None else [self._tools],
                usage=self.usage,
                event_stream_handler=self._listen,
            )
        if not isinstance(result.output, DeferredToolRequests):
            return []
        notes = result.output.metadata
        return [
            Call(
                id=call.tool_call_id,
                tool=call.tool_name,
                arguments=call.args_as_dict(),
                note=notes.get(call.tool_call_id, {}).get("note"),
            )
            for call in result.output.approvals
        ]

    async def _listen(self, _: RunContext[None], events: AsyncIterable[AgentStreamEvent]) -> None:
        async for event in events:
            self._tell(event)

    def _tell(self, event: AgentStreamEvent) -> None:
        match event:
            case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                self._tape.say(EventKind.TEXT, text)
            case (
                PartStartEvent(part=ThinkingPart(content=text))
                | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text)))
            ):
                self._tape.say(EventKind.THINKING, text)
            case FunctionToolCallEvent(part=call) if call.tool_call_id not in self._repeated:
                told: dict[str, object] = {"call_id": call.tool_call_id, "tool": call.tool_name}
                self._tape.add(EventKind.CALL, told | {"arguments": call.args_as_dict()})
            case FunctionToolResultEvent(part=part):
                told = {"call_id": part.tool_call_id, "tool": part.tool_name}
                text = part.model_response_str(wrap_if_error=False)
                self._tape.add(EventKind.RESULT, told | {"text": text, "ok": part.outcome == "success"})


@cache
def _agent() -> Agent[None, str | DeferredToolRequests]:
    pydantic_ai.BANNER_ENABLED = False  # The terminal is the person's, also in `doorkey chat`.
    return Agent(output_type=[str, DeferredToolRequests], retries=RETRIES)


def _messages(past: Past) -> list[ModelMessage]:
    messages = ModelMessagesTypeAdapter.validate_json(past.history) if past.history else []
    for prompt, text in past.cut_off:
        messages += [ModelRequest(parts=[UserPromptPart(prompt)]), ModelResponse(parts=[TextPart(text)])]
    return messages


def _substance(messages: Sequence[ModelMessage]) -> int:
    """Count what the model said and what tools gave back; a prompt alone is nothing yet."""
    parts = [part for message in messages for part in message.parts]
    return sum(not isinstance(part, UserPromptPart) for part in parts)


def _sound(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Cut off an answer with two calls of one id: a provider that refuses it would refuse the chat from then on."""
    for index, message in enumerate(messages):
        ids = [call.tool_call_id for call in message.tool_calls] if isinstance(message, ModelResponse) else []
        if len(set(ids)) != len(ids):
            return messages[:index]
    return messages


def _waiting(messages: Sequence[ModelMessage]) -> set[str]:
    """Return the ids of the calls in the model's last message."""
    last = next((message for message in reversed(messages) if isinstance(message, ModelResponse)), None)
    return {call.tool_call_id for call in last.tool_calls} if last else set()


def _verdict(row: Approval) -> Verdict:
    if row.decision is not Decision.DENY:
        return ToolApproved()
    return ToolDenied(f"The person said no: {row.reason}" if row.reason else "The person said no to this call.")
