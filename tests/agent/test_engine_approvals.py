import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from doorkey.agent.docket import INTERRUPTED
from doorkey.agent.engine import Engine
from doorkey.domain.approval import ApprovalState, Decision, canonical
from doorkey.domain.conversation import Event, EventKind, Run, RunState
from doorkey.errors import ApprovalRefused, SignInNeeded

from .chatting import Piece, Script, World, call, heard, last_state, text_of, until

WAITING = {"state": "waiting"}


def write(call_id: str = "call_1", path: str = "note.txt", content: str = "hello") -> Piece:
    return call("write_file", call_id, path=path, content=content)


async def paused(engine: Engine, world: World, root: Path, prompt: str = "Write it") -> Run:
    """Start a run in a chat of its own and wait until it waits."""
    run = await engine.start(world.chat(root).id, prompt)
    await until(engine, run.id, EventKind.STATE, **WAITING)
    return run


def told(events: Sequence[Event], kind: EventKind) -> list[dict[str, object]]:
    return [dict(event.body) for event in events if event.kind is kind]


def names(root: Path) -> list[str]:
    return sorted(place.name for place in root.iterdir())


async def test_a_call_that_needs_nobody_runs_at_once(root: Path):
    (root / "note.txt").write_text("remember the milk")
    world = World(Script([["Let me look.", call("read_file", "call_1", path="note.txt")], ["Milk."]]))

    async with world.engine() as engine:
        run = await engine.start(world.chat(root).id, "What is in the note?")
        events = await heard(engine, run.id)

    assert [event.kind.value for event in events] == ["served", "text", "call", "result", "text", "state"]
    assert told(events, EventKind.CALL) == [
        {"call_id": "call_1", "tool": "read_file", "arguments": {"path": "note.txt"}}
    ]
    assert told(events, EventKind.RESULT) == [
        {"call_id": "call_1", "tool": "read_file", "text": "remember the milk", "ok": True}
    ]
    assert world.approvals(run.id) == []


async def test_a_call_that_can_never_run_is_explained_to_the_model(root: Path):
    world = World(Script([[call("read_file", "call_1", path="../secret.txt")], ["I may not."]]))

    async with world.engine() as engine:
        events = await heard(engine, (await engine.start(world.chat(root).id, "Look")).id)

    (result,) = told(events, EventKind.RESULT)
    assert not result["ok"]
    assert "would leave the chat's folder" in str(result["text"])
    assert last_state(events) == {"state": "done"}


async def test_a_write_waits_for_a_person_and_does_nothing_meanwhile(root: Path):
    world = World(Script([[write()]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        events = await until(engine, run.id, EventKind.STATE)

        (row,) = world.approvals(run.id)
        assert told(events, EventKind.APPROVAL) == [
            {
                "approval": row.id,
                "call_id": "call_1",
                "tool": "write_file",
                "arguments": {"path": "note.txt", "content": "hello"},
                "note": "Writes note.txt.",
                "state": "pending",
            }
        ]
        assert world.stores.runs.load(run.id).state is RunState.WAITING
        assert not (root / "note.txt").exists()


async def test_a_command_says_how_far_it_is_confined(root: Path):
    world = World(Script([[call("run_command", "call_1", command="ls")]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)

    assert world.approvals(run.id)[0].note == "Runs a command. Not confined."


async def test_allowed_once_runs_once_and_the_answer_goes_on(root: Path):
    world = World(Script([[write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        (row,) = world.approvals(run.id)
        await engine.decide(row.id, Decision.ONCE)
        events = await heard(engine, run.id)

    assert (root / "note.txt").read_text() == "hello"
    states = [body["state"] for body in told(events, EventKind.APPROVAL)]
    assert states == ["pending", "allowed", "running", "done"]
    assert [body["state"] for body in told(events, EventKind.STATE)] == ["waiting", "running", "done"]
    assert (len(told(events, EventKind.CALL)), len(told(events, EventKind.RESULT))) == (1, 1)
    assert text_of(events) == "Written."
    assert world.approvals(run.id)[0].result == "Created note.txt (5 bytes)."


async def test_allowed_once_asks_again_the_next_time(root: Path):
    world = World(Script([[write("call_1")], [write("call_2")]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        await until(engine, run.id, EventKind.APPROVAL, call_id="call_2", state="pending")

        assert [row.state for row in world.approvals(run.id)] == [ApprovalState.DONE, ApprovalState.PENDING]


async def test_allowed_in_this_chat_runs_the_same_call_unasked_and_records_it(root: Path):
    world = World(Script([[write("call_1")], [write("call_2", content="again")], ["Twice."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.CHAT)
        events = await heard(engine, run.id)

    assert (root / "note.txt").read_text() == "again"
    second = world.approvals(run.id)[1]
    assert (second.state, second.decision) == (ApprovalState.DONE, Decision.CHAT)
    states = [body["state"] for body in told(events, EventKind.APPROVAL) if body["call_id"] == "call_2"]
    assert states == ["allowed", "running", "done"]


async def test_allowed_in_this_chat_covers_no_other_path(root: Path):
    world = World(Script([[write("call_1")], [write("call_2", path="other.txt")]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.CHAT)
        await until(engine, run.id, EventKind.APPROVAL, call_id="call_2", state="pending")

    assert not (root / "other.txt").exists()


async def test_denied_tells_the_model_and_gives_the_reason(root: Path):
    world = World(Script([[write()], ["As you wish."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.DENY, "wrong folder")
        events = await heard(engine, run.id)

    assert not (root / "note.txt").exists()
    assert world.script.texts()[-1] == "The person said no: wrong folder"
    assert [body["ok"] for body in told(events, EventKind.RESULT)] == [False]
    assert world.approvals(run.id)[0].state is ApprovalState.DONE
    assert last_state(events) == {"state": "done"}


async def test_the_answer_goes_on_when_its_last_call_is_decided(root: Path):
    world = World(Script([[write("call_1", "a.txt"), write("call_2", "b.txt")], ["Half of it."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        first, second = world.approvals(run.id)
        await engine.decide(first.id, Decision.ONCE)
        between = world.stores.runs.load(run.id).state
        await engine.decide(second.id, Decision.DENY)
        await heard(engine, run.id)

    assert between is RunState.WAITING
    assert names(root) == ["a.txt"]


async def test_a_call_is_decided_once(root: Path):
    world = World(Script([[write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        (row,) = world.approvals(run.id)
        decisions = [engine.decide(row.id, Decision.ONCE), engine.decide(row.id, Decision.DENY)]
        first, second = await asyncio.gather(*decisions, return_exceptions=True)
        await heard(engine, run.id)
        with pytest.raises(ApprovalRefused, match="already decided"):
            await engine.decide(row.id, Decision.ONCE)

    assert not isinstance(first, BaseException)
    assert isinstance(second, ApprovalRefused)
    assert len(world.script.heard) == 2


async def test_another_engine_over_the_same_stores_decides_and_goes_on(root: Path):
    world = World(Script([["Now. ", write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
    async with world.engine() as another:
        await another.recover()
        waiting = world.stores.runs.load(run.id).state
        listener = asyncio.create_task(heard(another, run.id))
        await another.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        events = await listener

    assert waiting is RunState.WAITING
    assert (root / "note.txt").read_text() == "hello"
    assert text_of(events) == "Now. Written."
    assert [event.number for event in events] == list(range(1, len(events) + 1))


async def test_signed_out_meanwhile_keeps_the_decision_until_the_person_is_back(root: Path):
    world = World(Script([[write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        world.door.stale = SignInNeeded("The sign-in has ended.")
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        events = await until(engine, run.id, EventKind.STATE, error="sign_in_needed")
        untouched = not (root / "note.txt").exists()
        kept = world.stores.runs.load(run.id)
        world.door.stale = None
        await engine.resume(run.id)
        after = await heard(engine, run.id, events[-1].number)

    assert untouched
    assert (kept.state, kept.error) == (RunState.WAITING, "sign_in_needed")
    assert events[-1].body["state"] == "waiting"
    assert "Sign in" in str(events[-1].body["hint"])
    assert last_state(after) == {"state": "done"}
    assert (root / "note.txt").read_text() == "hello"
    assert world.stores.runs.load(run.id).error is None


async def test_the_credential_is_asked_for_anew_and_the_payer_stays(root: Path):
    world = World(Script([[write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        await heard(engine, run.id)

    first, second = world.door.wishes
    assert (first.pinned, second.pinned) == (None, world.door.account.id)
    assert second.served_before
    assert world.door.renewed == 2


async def test_closing_before_an_allowed_call_ran_keeps_the_decision(root: Path):
    world = World(Script([[write()], ["Written."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        world.door.renewal = asyncio.Event()
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
    between = (world.stores.runs.load(run.id).state, world.approvals(run.id)[0].state)
    world.door.renewal = None
    async with world.engine() as another:
        await another.recover()
        await another.resume(run.id)
        events = await heard(another, run.id)

    assert between == (RunState.WAITING, ApprovalState.ALLOWED)
    assert last_state(events) == {"state": "done"}
    assert names(root) == ["note.txt"]


async def test_stopping_while_a_run_goes_on_ends_it_before_the_call_runs(root: Path):
    world = World(Script([[write()]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        world.door.renewal = asyncio.Event()
        (row,) = world.approvals(run.id)
        _, stopped = await asyncio.gather(engine.decide(row.id, Decision.ONCE), engine.stop(run.id))
        events = await heard(engine, run.id)

    assert stopped.state is RunState.STOPPED
    assert last_state(events) == {"state": "stopped"}
    assert names(root) == []


async def test_a_run_that_still_asks_cannot_be_resumed(root: Path):
    world = World(Script([[write()]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        with pytest.raises(ApprovalRefused, match="still waits"):
            await engine.resume(run.id)


async def test_one_id_for_two_calls_ends_the_run_and_runs_neither(root: Path):
    world = World(Script([[write("call_1", "a.txt"), write("call_1", "b.txt")], ["Sorry."]]))
    chat = world.chat(root)

    async with world.engine() as engine:
        events = await heard(engine, (await engine.start(chat.id, "Write")).id)
        after = await heard(engine, (await engine.start(chat.id, "What happened?")).id)

    assert last_state(events)["state"] == "failed"
    assert names(root) == []
    assert last_state(after) == {"state": "done"}
    assert world.script.texts() == ["What happened?"]


async def test_the_id_of_an_earlier_turn_ends_the_run(root: Path):
    world = World(Script([[write()], ["Written."], [write(path="other.txt")]]))
    chat = world.chat(root)

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Write it")
        await until(engine, run.id, EventKind.STATE, **WAITING)
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        await heard(engine, run.id)
        again = await engine.start(chat.id, "Once more")
        events = await heard(engine, again.id)

    assert last_state(events)["error"] == "approval_refused"
    assert world.stores.runs.history(again.id) is None
    assert not (root / "other.txt").exists()


async def test_arguments_that_changed_since_they_were_approved_are_not_run(root: Path):
    world = World(Script([[write()]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        (row,) = world.approvals(run.id)
        history = world.stores.runs.history(run.id)
        world.stores.runs.save(world.stores.runs.load(run.id), history=history.replace(b"hello", b"other"))
        await engine.decide(row.id, Decision.ONCE)
        events = await heard(engine, run.id)

    assert last_state(events)["error"] == "approval_refused"
    assert not (root / "note.txt").exists()


async def test_stopping_a_waiting_run_takes_its_calls_back(root: Path):
    world = World(Script([[write()], ["Fine."]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        stopped = await engine.stop(run.id)
        (row,) = world.approvals(run.id)
        with pytest.raises(ApprovalRefused):
            await engine.decide(row.id, Decision.ONCE)
        events = await heard(engine, (await engine.start(run.conversation, "Never mind")).id)

    assert (stopped.state, row.state) == (RunState.STOPPED, ApprovalState.DONE)
    assert last_state(events) == {"state": "done"}
    assert not (root / "note.txt").exists()


async def test_stopping_ends_a_command_that_runs(root: Path):
    world = World(Script([[call("run_command", "call_1", command="touch begun; sleep 300; touch ended")]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)
        await engine.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        await until(engine, run.id, EventKind.APPROVAL, state="running")
        await engine.stop(run.id)
        events = await heard(engine, run.id)

    assert last_state(events) == {"state": "stopped"}
    assert world.approvals(run.id)[0].state is ApprovalState.DONE
    assert not (root / "ended").exists()


async def crash_while_running(world: World, root: Path) -> Run:
    """Leave what a process leaves behind that dies while an approved call runs."""
    async with world.engine() as engine:
        run = await paused(engine, world, root)
    (row,) = world.approvals(run.id)
    allowed = replace(row, state=ApprovalState.ALLOWED, decision=Decision.ONCE)
    world.stores.approvals.move(allowed, was=ApprovalState.PENDING)
    world.stores.approvals.move(replace(allowed, state=ApprovalState.RUNNING), was=ApprovalState.ALLOWED)
    world.stores.runs.save(replace(world.stores.runs.load(run.id), state=RunState.RUNNING))
    return run


async def test_a_call_that_a_crash_left_running_asks_again(root: Path):
    world = World(Script([[write()], ["Written."]]))
    run = await crash_while_running(world, root)

    async with world.engine() as engine:
        await engine.recover()
        (row,) = world.approvals(run.id)
        waiting = world.stores.runs.load(run.id).state
        await engine.decide(row.id, Decision.ONCE)
        events = await heard(engine, run.id)

    assert (waiting, row.state, row.note) == (RunState.WAITING, ApprovalState.PENDING, INTERRUPTED)
    assert text_of(events) == "Written."
    assert (root / "note.txt").read_text() == "hello"


async def test_a_call_that_ran_before_a_crash_is_not_run_again(root: Path):
    world = World(Script([[write("call_1", "a.txt"), write("call_2", "b.txt")], ["Both."]]))
    async with world.engine() as engine:
        run = await paused(engine, world, root)
    done, _ = world.approvals(run.id)
    for state in (ApprovalState.ALLOWED, ApprovalState.RUNNING, ApprovalState.DONE):
        before, done = done, replace(done, state=state, decision=Decision.ONCE, result="Created a.txt earlier.")
        world.stores.approvals.move(done, was=before.state)

    async with world.engine() as engine:
        await engine.decide(world.approvals(run.id)[1].id, Decision.ONCE)
        await heard(engine, run.id)

    assert names(root) == ["b.txt"]
    assert "Created a.txt earlier." in world.script.texts()


async def test_a_row_keeps_exactly_what_the_person_saw(root: Path):
    world = World(Script([[write()]]))

    async with world.engine() as engine:
        run = await paused(engine, world, root)

    (row,) = world.approvals(run.id)
    assert row.arguments == canonical({"path": "note.txt", "content": "hello"})
    assert row.scope == "write_file note.txt"
