import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError

from doorkey.domain.conversation import Event, EventKind, RunState
from doorkey.errors import (
    ConsentNeeded,
    DoorkeyError,
    OriginChanged,
    ProviderUnavailable,
    SignInNeeded,
    StorageFull,
    UsageLimitReached,
)
from doorkey.ports import Events
from doorkey.testing.memory import memory_app

from .chatting import Door, Script, World, call, heard, last_state, text_of, until

CANARY = "canary-secret"


def wrapped(error: Exception) -> Exception:
    """Hide an error the way an SDK does."""
    outer = ModelAPIError("small", "Connection error.")
    middle = RuntimeError("connection")
    middle.__context__ = error
    outer.__cause__ = middle
    return outer


async def ends(world: World, prompt: str = "Hi", folder: Path | None = None) -> list[Event]:
    """Listen to a prompt of a chat of its own."""
    async with world.engine() as engine:
        return await heard(engine, (await engine.start(world.chat(folder).id, prompt)).id)


async def test_without_an_account_the_prompt_is_kept_and_the_run_says_what_to_do():
    world = World(Script([]), door=Door(refusal=SignInNeeded("No account at Acme.")))

    events = await ends(world, "A long text that I typed")

    run = world.stores.runs.load(events[0].run)
    assert last_state(events) == {
        "state": "failed",
        "error": "sign_in_needed",
        "message": "No account at Acme.",
        "hint": SignInNeeded.hint,
    }
    assert (run.state, run.prompt, run.error) == (RunState.FAILED, "A long text that I typed", "sign_in_needed")
    assert (run.message, run.hint) == ("No account at Acme.", SignInNeeded.hint)


async def test_a_missing_consent_is_named_so_that_the_page_can_ask_for_it():
    world = World(Script([]), door=Door(refusal=ConsentNeeded("The key would pay.", consent="env-key:acme")))

    events = await ends(world)

    assert last_state(events)["consent"] == "env-key:acme"


async def test_a_chat_without_a_model_says_so():
    world = World(Script([]))
    chat = world.chat(model=None)

    async with world.engine() as engine:
        events = await heard(engine, (await engine.start(chat.id, "Hi")).id)

    assert last_state(events)["error"] == "unknown_name"
    assert "Choose a model" in str(last_state(events)["hint"])


async def test_a_folder_that_is_gone_ends_the_run_before_the_model_is_asked(root: Path):
    world = World(Script([]))

    events = await ends(world, folder=root / "gone")

    assert last_state(events)["error"] == "folder_refused"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (wrapped(SignInNeeded("The sign-in has ended.")), "sign_in_needed"),
        (wrapped(OriginChanged("Another address.")), "origin_changed"),
        (ExceptionGroup("tools", [SignInNeeded("The sign-in has ended.")]), "sign_in_needed"),
        (wrapped(ValueError("no")), "provider_unavailable"),
        (httpx2.ReadError("cut"), "provider_unavailable"),
        (ModelHTTPError(503, "small", None), "provider_unavailable"),
        (ModelHTTPError(401, "small", {"code": "token_revoked"}), "sign_in_needed"),
        (ModelHTTPError(404, "small", "not json"), "model_refused"),
        (ModelHTTPError(429, "small", {"code": "usage_limit_reached"}), "usage_limit_reached"),
        (ModelHTTPError(429, "small", {"code": "rate_limit_exceeded"}), "provider_unavailable"),
        (ModelHTTPError(400, "small", {"error": {"code": "chatpass_v2_scope_not_authorized"}}), "policy_refused"),
    ],
)
async def test_what_the_sdks_wrap_is_told_as_our_own_error(error: Exception, code: str):
    world = World(Script([[error]]))

    events = await ends(world)

    assert last_state(events)["error"] == code


async def test_a_refused_model_is_explained_and_nobody_is_moved_to_the_nearest():
    world = World(Script([[ModelHTTPError(404, "small", None)]]))

    events = await ends(world)

    told = last_state(events)
    (run,) = world.stores.runs.of(world.stores.conversations.all()[0].id)
    assert (told["error"], told["message"], told["nearest"]) == ("model_refused", "small is not there.", "acme:large")
    assert run.served is not None
    assert run.served.model == "small"
    assert world.stores.conversations.all()[0].model == "acme:small"


async def test_a_used_up_plan_is_recorded_with_its_account():
    limit = ModelHTTPError(429, "small", {"code": "usage_limit_reached", "resets_in_seconds": 60})
    world = World(Script([[limit]]))

    await ends(world)

    ((account, error),) = world.recorded
    assert account == world.door.account
    assert isinstance(error, UsageLimitReached)
    assert error.until == world.clock.time + timedelta(minutes=1)


async def test_what_nobody_foresaw_is_logged_by_its_name_alone(caplog: pytest.LogCaptureFixture):
    world = World(Script([[TypeError(CANARY)]]))

    with caplog.at_level(logging.DEBUG):
        events = await ends(world)

    assert last_state(events)["error"] == DoorkeyError.code
    assert CANARY not in str(events)
    assert "TypeError" in caplog.text
    assert CANARY not in caplog.text


async def test_no_credential_is_in_any_event():
    world = World(Script([["Hello"]]))

    events = await ends(world)

    assert "canary-token" not in repr(events)


async def test_a_cut_answer_keeps_what_was_said():
    world = World(Script([["Half an answ", httpx2.ReadError("cut")], ["Yes"]]))
    chat = world.chat()

    async with world.engine() as engine:
        events = await heard(engine, (await engine.start(chat.id, "Tell me")).id)
        await heard(engine, (await engine.start(chat.id, "Go on")).id)

    assert (text_of(events), last_state(events)["error"]) == ("Half an answ", ProviderUnavailable.code)
    assert world.script.texts() == ["Tell me", "Half an answ", "Go on"]


async def test_a_prompt_that_was_never_answered_is_not_told_to_the_model_again():
    world = World(Script([[ModelHTTPError(400, "small", None)], ["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        await heard(engine, (await engine.start(chat.id, "Too long")).id)
        await heard(engine, (await engine.start(chat.id, "Short")).id)

    assert world.script.texts() == ["Short"]


async def test_retry_asks_the_same_in_a_new_run():
    world = World(Script([[ModelHTTPError(503, "small", None)], ["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        failed = await engine.start(chat.id, "Hi")
        await heard(engine, failed.id)
        events = await heard(engine, (await engine.retry(failed.id)).id)

    assert [run.prompt for run in world.stores.runs.of(chat.id)] == ["Hi", "Hi"]
    assert [run.state for run in world.stores.runs.of(chat.id)] == [RunState.FAILED, RunState.DONE]
    assert text_of(events) == "Hello"


async def test_what_tools_did_before_a_fault_is_remembered(root: Path):
    (root / "note.txt").write_text("milk")
    world = World(
        Script([[call("read_file", "call_1", path="note.txt")], [ModelHTTPError(503, "small", None)], ["Milk."]])
    )
    chat = world.chat(root)

    async with world.engine() as engine:
        await heard(engine, (await engine.start(chat.id, "Read it")).id)
        await heard(engine, (await engine.start(chat.id, "And?")).id)

    assert world.script.texts() == ["Read it", "milk", "And?"]


async def test_endless_steps_are_ended(root: Path):
    world = World(Script([[call("list_files", f"call_{number}")] for number in range(60)]))

    events = await ends(world, folder=root)

    assert "too many steps" in str(last_state(events)["message"])


@dataclass
class FullDisk:
    """Fill `ports.Events` on a disk that has no room left after some events."""

    events: Events
    room: int
    taken: list[EventKind] = field(default_factory=list)

    def append(self, run: str, kind: EventKind, body: Mapping[str, object]) -> Event:
        if len(self.taken) >= self.room:
            raise StorageFull("The disk is full.")
        self.taken.append(kind)
        return self.events.append(run, kind, body)

    def since(self, run: str, number: int) -> list[Event]:
        return list(self.events.since(run, number))


async def test_listeners_are_let_go_when_the_end_cannot_be_stored(caplog: pytest.LogCaptureFixture):
    app = memory_app()
    world = World(Script([["Hello"]]))
    full = FullDisk(app.events, room=1)
    world.app = replace(app, events=full)
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        async with asyncio.timeout(10):
            events = await heard(engine, run.id)

    assert [event.kind for event in events] == [EventKind.SERVED]
    assert "StorageFull" in caplog.text


async def test_a_full_disk_is_told_once_there_is_room_again():
    app = memory_app()
    gate = asyncio.Event()
    world = World(Script([["Hello", gate, " there"]]))
    full = FullDisk(app.events, room=1)
    world.app = replace(app, events=full)
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        await until(engine, run.id, EventKind.SERVED)
        full.room = 100
        gate.set()
        events = await heard(engine, run.id)

    assert (text_of(events), last_state(events)) == ("Hello there", {"state": "done"})
