import asyncio
import subprocess
import sys
from itertools import pairwise

import pytest

from doorkey.agent.engine import TITLE, title_of
from doorkey.domain.conversation import Conversation, EventKind, Run, RunState
from doorkey.errors import Temporary, UnknownName
from doorkey.testing.values import a_run

from .chatting import Script, World, heard, last_state, text_of, until


async def test_an_answer_is_streamed_in_order_between_who_serves_and_how_it_ended():
    world = World(Script([["Hello", " there", "!"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        events = await heard(engine, run.id)

    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[0].kind is EventKind.SERVED
    assert text_of(events) == "Hello there!"
    assert last_state(events) == {"state": "done"}


async def test_the_first_event_says_who_serves_and_who_pays():
    world = World(Script([["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        events = await heard(engine, run.id)

    assert events[0].body == {
        "provider": "acme",
        "model": "small",
        "account": world.door.account.id,
        "label": "ada@example.com",
        "method": "oauth",
        "payer": "plan",
        "source": "managed",
    }


async def test_a_finished_run_keeps_who_served_it_and_what_it_used():
    world = World(Script([["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        await heard(engine, run.id)

    kept = world.stores.runs.load(run.id)
    assert (kept.state, kept.ended_at, kept.served.account) == (RunState.DONE, world.clock.time, world.door.account.id)
    assert kept.tokens_in
    assert kept.tokens_out
    assert world.stores.conversations.load(chat.id).served_by == world.door.account.id


async def test_every_number_is_a_place_to_subscribe_from_while_the_answer_grows():
    gate = asyncio.Event()
    world = World(Script([["one ", "two ", gate, "three ", "four"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Count")
        await until(engine, run.id, EventKind.TEXT)
        listeners = [asyncio.create_task(heard(engine, run.id, after)) for after in range(3)]
        await asyncio.sleep(0)
        gate.set()
        streams = [await listener for listener in listeners]

    for after, events in enumerate(streams):
        assert [event.number for event in events] == list(range(after + 1, streams[0][-1].number + 1))
    assert text_of(streams[0]) == "one two three four"


async def test_a_finished_run_can_be_read_again_from_any_number_by_another_engine():
    world = World(Script([["one ", "two"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Count")
        events = await heard(engine, run.id)
    async with world.engine() as another:
        again = [await heard(another, run.id, after) for after in range(len(events) + 1)]

    assert again == [events[after:] for after in range(len(events) + 1)]


async def test_a_listener_may_leave_and_come_back_without_a_gap():
    gate = asyncio.Event()
    world = World(Script([["one ", gate, "two"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Count")
        first = await until(engine, run.id, EventKind.TEXT)
        gate.set()
        rest = await heard(engine, run.id, first[-1].number)

    assert text_of([*first, *rest]) == "one two"
    assert all(later.number == earlier.number + 1 for earlier, later in pairwise([*first, *rest]))


async def test_pieces_that_come_together_are_told_together():
    world = World(Script([[str(number % 10) for number in range(500)]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Count")
        events = await heard(engine, run.id)

    assert len(text_of(events)) == 500
    assert len(events) < 100


async def test_stopping_keeps_the_text_for_the_page_and_for_the_model():
    world = World(Script([["Half an answ", asyncio.Event()], ["Yes"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Tell me")
        await until(engine, run.id, EventKind.TEXT)
        stopped = await engine.stop(run.id)
        events = await heard(engine, run.id)
        await heard(engine, (await engine.start(chat.id, "Go on")).id)

    assert stopped.state is RunState.STOPPED
    assert (text_of(events), last_state(events)) == ("Half an answ", {"state": "stopped"})
    assert world.script.texts() == ["Tell me", "Half an answ", "Go on"]


async def test_stopping_twice_at_once_stops_once():
    world = World(Script([["Half", asyncio.Event()]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Tell me")
        await until(engine, run.id, EventKind.TEXT)
        stopped = await asyncio.gather(engine.stop(run.id), engine.stop(run.id))
        events = await heard(engine, run.id)

    assert [run.state for run in stopped] == [RunState.STOPPED, RunState.STOPPED]
    assert [event.kind for event in events].count(EventKind.STATE) == 1


async def test_stopping_what_has_ended_changes_nothing():
    world = World(Script([["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Hi")
        events = await heard(engine, run.id)
        stopped = await engine.stop(run.id)

        assert stopped.state is RunState.DONE
        assert await heard(engine, run.id) == events


async def test_a_chat_has_one_live_answer():
    world = World(Script([["Half", asyncio.Event()]]))
    chat = world.chat()

    async with world.engine() as engine:
        await engine.start(chat.id, "One")
        with pytest.raises(Temporary, match="not finished"):
            await engine.start(chat.id, "Two")

    assert [run.prompt for run in world.stores.runs.of(chat.id)] == ["One"]


async def test_two_starts_at_once_make_one_answer():
    world = World(Script([["Half", asyncio.Event()]]))
    chat = world.chat()

    async with world.engine() as engine:
        begun = await asyncio.gather(engine.start(chat.id, "One"), engine.start(chat.id, "Two"), return_exceptions=True)

    assert len([each for each in begun if isinstance(each, Temporary)]) == 1


async def test_a_prompt_for_no_chat_is_refused():
    world = World(Script([]))

    async with world.engine() as engine:
        with pytest.raises(UnknownName):
            await engine.start("cht_none", "Hi")


async def test_the_model_is_told_what_was_said_before():
    world = World(Script([["Ada"], ["You are Ada"]]))
    chat = world.chat()

    async with world.engine() as engine:
        for prompt in ("My name?", "Again?"):
            await heard(engine, (await engine.start(chat.id, prompt)).id)

    assert world.script.texts() == ["My name?", "Ada", "Again?"]


async def test_a_chat_without_a_folder_has_no_tools_and_does_not_hear_of_any():
    world = World(Script([["Hello"]]))
    chat = world.chat()

    async with world.engine() as engine:
        await heard(engine, (await engine.start(chat.id, "Hi")).id)

    assert world.script.tools == []
    assert "Doorkey" in world.script.instructions
    assert "folder" not in world.script.instructions


async def test_the_first_prompt_names_the_chat_and_a_later_one_does_not():
    world = World(Script([["Hello"], ["Hello again"]]))
    chat = world.chat()

    async with world.engine() as engine:
        for prompt in ("\n  Plan a trip \nto Rome", "Something else"):
            await heard(engine, (await engine.start(chat.id, prompt)).id)

    assert world.stores.conversations.load(chat.id).title == "Plan a trip"


@pytest.mark.parametrize(
    ("prompt", "title"),
    [("Hi", "Hi"), (" \n ", "New chat"), ("x" * 60, "x" * 60), ("word " * 20, "word " * 10 + "word…")],
)
def test_a_title_is_the_first_line_that_says_something(prompt: str, title: str):
    assert title_of(prompt) == title
    assert len(title_of("long " * 99)) <= TITLE


async def test_closing_interrupts_what_is_live_and_keeps_its_text():
    world = World(Script([["Half", asyncio.Event()], ["Yes"]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Tell me")
        await until(engine, run.id, EventKind.TEXT)
        listener = asyncio.create_task(heard(engine, run.id))
        await asyncio.sleep(0)
    events = await listener
    async with world.engine() as another:
        await heard(another, (await another.start(chat.id, "Go on")).id)

    assert world.stores.runs.load(run.id).state is RunState.INTERRUPTED
    assert (text_of(events), last_state(events)) == ("Half", {"state": "interrupted"})
    assert world.script.texts() == ["Tell me", "Half", "Go on"]


def crashed(world: World, chat: Conversation, *texts: str) -> Run:
    """Leave what a process leaves behind that dies in the middle of an answer."""
    run = a_run(chat.id, prompt="Tell me")
    world.stores.runs.save(run)
    for text in texts:
        world.stores.events.append(run.id, EventKind.TEXT, {"text": text})
    return run


async def test_an_answer_that_a_crash_cut_off_is_interrupted_and_remembered():
    world = World(Script([["Yes"]]))
    chat = world.chat()
    run = crashed(world, chat, "Half an", " answ")

    async with world.engine() as engine:
        await engine.recover()
        events = await heard(engine, run.id)
        await heard(engine, (await engine.start(chat.id, "Go on")).id)

    assert world.stores.runs.load(run.id).state is RunState.INTERRUPTED
    assert (text_of(events), last_state(events)) == ("Half an answ", {"state": "interrupted"})
    assert world.script.texts() == ["Tell me", "Half an answ", "Go on"]


async def test_recovering_leaves_alone_what_is_live_here():
    world = World(Script([["Half", asyncio.Event()]]))
    chat = world.chat()

    async with world.engine() as engine:
        run = await engine.start(chat.id, "Tell me")
        await until(engine, run.id, EventKind.TEXT)
        await engine.recover()

        assert world.stores.runs.load(run.id).state is RunState.RUNNING


async def test_a_run_of_another_process_is_given_as_far_as_it_is_stored():
    world = World(Script([]))
    run = crashed(world, world.chat(), "Half")

    async with world.engine() as engine:
        events = await heard(engine, run.id)

    assert text_of(events) == "Half"


def test_the_heavy_libraries_are_loaded_by_the_first_run_only():
    asked = "import sys, doorkey.agent.engine; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()

    assert {"openai", "anthropic", "pydantic_ai", "httpx2"}.isdisjoint(loaded)


async def test_twenty_chats_at_once_each_get_their_own_answer():
    world = World(Script([["one ", "two ", "three"] for _ in range(20)]))
    chats = [world.chat() for _ in range(20)]

    async with world.engine() as engine:
        runs = await asyncio.gather(*(engine.start(chat.id, "Count") for chat in chats))
        streams = await asyncio.gather(*(heard(engine, run.id) for run in runs))

    assert [text_of(events) for events in streams] == ["one two three"] * 20
    assert {event.run for events in streams for event in events} == {run.id for run in runs}
