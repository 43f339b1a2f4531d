"""Several machines over the same chats: each run is made by one of them, and followed and decided from any."""

import asyncio
from pathlib import Path

import pytest

from doorkey.agent.claims import SPAN
from doorkey.domain.approval import Decision
from doorkey.domain.conversation import EventKind, RunState
from doorkey.errors import Temporary, UnknownName
from doorkey.testing.memory import MemoryLeases
from doorkey.testing.values import a_run

from .chatting import Piece, Script, World, call, heard, last_state, text_of, until

WAITING = {"state": "waiting"}


def write(call_id: str, path: str) -> Piece:
    return call("write_file", call_id, path=path, content="hello")


def names(root: Path) -> list[str]:
    return sorted(place.name for place in root.iterdir())


def machines(world: World):
    """Give two engines that share the stores of a world and its leases."""
    leases = MemoryLeases(world.clock.now)
    return world.engine(leases), world.engine(leases)


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
        with pytest.raises(Temporary, match="Another machine"):
            await laptop.stop(run.id)


async def test_who_listens_to_a_machine_that_died_hears_the_end_when_its_time_is_over():
    world = World(Script([]))
    leases = MemoryLeases(world.clock.now)
    run = a_run(world.chat().id)
    leases.take(run.id, SPAN)
    world.stores.runs.save(run)
    world.stores.events.append(run.id, EventKind.TEXT, {"text": "Half"})

    async with world.engine(leases) as laptop:
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
    leases = MemoryLeases(world.clock.now)

    async with world.engine(leases) as laptop:
        with pytest.raises(UnknownName):
            await laptop.start("cht_nothing", "Hello")

    assert not leases._rows
