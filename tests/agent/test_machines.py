"""Several programs over the same chats: each run is made by one of them, and followed, decided and stopped from any."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doorkey.agent.claims import SPAN
from doorkey.domain.approval import ApprovalState, Decision
from doorkey.domain.conversation import EventKind, RunState
from doorkey.errors import Temporary, UnknownName
from doorkey.testing.values import a_run

from .chatting import Piece, Script, World, call, heard, last_state, text_of, until

WAITING = {"state": "waiting"}


def write(call_id: str, path: str) -> Piece:
    return call("write_file", call_id, path=path, content="hello")


def names(root: Path) -> list[str]:
    return sorted(place.name for place in root.iterdir())


def machines(world: World):
    """Give two engines that share the stores of a world."""
    return world.engine(), world.engine()


async def test_an_answer_that_one_machine_makes_is_followed_on_another():
    more = asyncio.Event()
    world = World(Script([["Hel", more, "lo"]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        run = await desk.start(world.chat().id, "Hello")
        listener = asyncio.create_task(heard(laptop, run.id))
        await until(laptop, run.id, EventKind.TEXT)
        more.set()
        events = await listener

        assert text_of(events) == "Hello"
        assert last_state(events) == {"state": "done"}
        assert [event.number for event in events] == list(range(1, len(events) + 1))


async def test_a_decision_on_another_machine_goes_on_there_and_is_heard_where_it_began(root: Path):
    world = World(Script([["Now. ", write("call_1", "note.txt")], ["Written."]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        run = await desk.start(world.chat(root).id, "Write it")
        await until(desk, run.id, EventKind.STATE, **WAITING)
        listener = asyncio.create_task(heard(desk, run.id))
        await laptop.decide(world.approvals(run.id)[0].id, Decision.ONCE)
        events = await listener

    assert (root / "note.txt").read_text() == "hello"
    assert text_of(events) == "Now. Written."


async def test_two_machines_that_decide_at_once_go_on_once(root: Path):
    world = World(Script([[write("call_1", "one.txt"), write("call_2", "two.txt")], ["Written."]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        run = await desk.start(world.chat(root).id, "Write them")
        await until(desk, run.id, EventKind.STATE, **WAITING)
        first, second = world.approvals(run.id)
        await asyncio.gather(desk.decide(first.id, Decision.ONCE), laptop.decide(second.id, Decision.ONCE))
        events = await heard(laptop, run.id)

    assert last_state(events) == {"state": "done"}
    assert names(root) == ["one.txt", "two.txt"]
    assert len(world.script.heard) == 2


async def test_a_machine_that_starts_leaves_alone_what_another_makes():
    world = World(Script([["Half", asyncio.Event()]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        run = await desk.start(world.chat().id, "Tell me")
        await until(desk, run.id, EventKind.TEXT)
        await laptop.recover()

        assert world.stores.runs.load(run.id).state is RunState.RUNNING


async def test_a_stop_reaches_the_machine_that_makes_the_answer():
    world = World(Script([["Half", asyncio.Event()], ["Yes"]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        chat = world.chat()
        run = await desk.start(chat.id, "Tell me")
        await until(desk, run.id, EventKind.TEXT)
        listener = asyncio.create_task(heard(desk, run.id))
        stopped = await laptop.stop(run.id)
        events = await listener
        await heard(laptop, (await laptop.start(chat.id, "Go on")).id)

    assert stopped.state is RunState.STOPPED
    assert (text_of(events), last_state(events)) == ("Half", {"state": "stopped"})
    assert world.script.texts() == ["Tell me", "Half", "Go on"]


async def test_a_stop_that_the_maker_does_not_hear_of_is_told_and_kept():
    world = World(Script([]))
    run = a_run(world.chat().id)
    world.stores.runs.save(run)
    world.stores.claims.take(run.id, SPAN)

    async with world.engine(patience=timedelta(milliseconds=100)) as laptop:
        with pytest.raises(Temporary, match="does not react"):
            await laptop.stop(run.id)

    assert world.stores.stops.asked(run.id)


async def test_what_a_dead_machine_made_is_stopped_by_whoever_is_asked(root: Path):
    world = World(Script([[write("call_1", "note.txt")]]))
    chat = world.chat(root)
    async with world.engine() as desk:
        run = await desk.start(chat.id, "Write it")
        await until(desk, run.id, EventKind.STATE, **WAITING)
    world.stores.runs.save(replace(world.stores.runs.load(run.id), state=RunState.RUNNING))

    async with world.engine() as laptop:
        stopped = await laptop.stop(run.id)

    assert stopped.state is RunState.STOPPED
    assert [row.state for row in world.approvals(run.id)] == [ApprovalState.DONE]


async def test_a_stop_while_the_answer_comes_to_a_question_ends_it_once(root: Path):
    asked = asyncio.Event()
    world = World(Script([["Now. ", asked, write("call_1", "note.txt")]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        run = await desk.start(world.chat(root).id, "Write it")
        await until(desk, run.id, EventKind.TEXT)
        stopping = asyncio.create_task(laptop.stop(run.id))
        asked.set()
        stopped = await stopping
        events = await heard(desk, run.id)

    assert stopped.state is RunState.STOPPED
    assert last_state(events) == {"state": "stopped"}
    assert not names(root)


async def test_two_prompts_at_once_on_two_machines_make_one_answer():
    world = World(Script([["Half", asyncio.Event()]]))
    one, other = machines(world)

    async with one as desk, other as laptop:
        chat = world.chat()
        begun = await asyncio.gather(desk.start(chat.id, "One"), laptop.start(chat.id, "Two"), return_exceptions=True)

    refused = [each for each in begun if isinstance(each, Temporary)]
    assert [str(each) for each in refused] == ["An answer of this chat is not finished yet."]
    assert len(world.stores.runs.of(chat.id)) == 1


async def test_who_listens_to_a_machine_that_died_hears_the_end_when_its_time_is_over():
    world = World(Script([]))
    run = a_run(world.chat().id)
    world.stores.claims.take(run.id, SPAN)
    world.stores.runs.save(run)
    world.stores.events.append(run.id, EventKind.TEXT, {"text": "Half"})

    async with world.engine() as laptop:
        await laptop.recover()
        meanwhile = world.stores.runs.load(run.id).state
        listener = asyncio.create_task(heard(laptop, run.id))
        await until(laptop, run.id, EventKind.TEXT)
        world.clock.sleep(SPAN)
        events = await listener

    assert meanwhile is RunState.RUNNING
    assert (text_of(events), last_state(events)) == ("Half", {"state": "interrupted"})


async def test_a_prompt_that_was_refused_leaves_no_claim():
    world = World(Script([]))

    async with world.engine() as laptop:
        with pytest.raises(UnknownName):
            await laptop.start("cht_nothing", "Hello")

    assert world.stores.claims.take(f"run_{1:024x}", SPAN)
