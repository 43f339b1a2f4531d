"""A run's stream: whatever number a page stands at, nothing is lost or doubled."""

from dataclasses import replace

import anyio
import pytest

from doorkey.domain.conversation import EventKind, RunState
from doorkey.testing.values import an_approval
from doorkey.web.markdown import render
from doorkey.web.stream import STILL_HERE, RunStream
from doorkey.web.transcript import Answer
from tests.web.room import messages

WORDS = ["First ", "block.\n\n", "- one\n", "- two\n\n", "```py\nx", " = 1\n```\n\n", "The ", "end."]


def end(room, run):
    room.engine.tell(run, EventKind.STATE, state="done")


async def read(browser, run, after=0, **headers):
    return await browser.get(f"/runs/{run.id}/stream?after={after}", headers=headers)


async def test_a_finished_run_is_told_and_the_stream_ends(room, browser):
    run = room.chat()
    room.engine.say(run, *WORDS)
    end(room, run)

    answer = await read(browser, run)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert messages(answer.text)[-1][0] == len(WORDS) + 1
    assert answer.text.endswith("event: end\ndata: end\n\n")
    assert "<p>First block.</p>" in answer.text


async def test_a_live_run_is_followed_to_its_end(room, browser):
    run = room.chat()
    room.engine.say(run, "Hello ")

    async def go_on():
        room.engine.say(run, "world.")
        end(room, run)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on)
        answer = await read(browser, run)

    assert "<p>Hello world.</p>" in answer.text
    assert messages(answer.text)[-1][0] == 3


@pytest.mark.parametrize("after", range(len(WORDS) + 2))
async def test_a_reload_in_the_middle_loses_and_doubles_nothing(room, browser, after):
    run = room.chat()
    room.engine.say(run, *WORDS)
    end(room, run)
    on_the_page = Answer().take(room.stores.events.since(run.id, 0)[:after]).changes()

    answer = await read(browser, run, after)

    shown = "".join(piece.html for piece in on_the_page.fresh)
    added = "".join(pieces_of(html) for _, html in messages(answer.text))
    assert in_one_line(shown + added) == in_one_line(render("".join(WORDS)))
    assert all(number > after for number, _ in messages(answer.text))


def pieces_of(html):
    """Cut out what one message appends to the finished blocks."""
    _, start, rest = html.partition('hx-swap="beforeend">')
    return rest.partition("</hx-partial>")[0] if start else ""


def in_one_line(html):
    """Leave out the empty lines that the templates put between pieces."""
    return html.replace("\n", "")


async def test_the_last_event_id_of_a_reconnect_goes_before_the_address(room, browser):
    run = room.chat()
    room.engine.say(run, "One.\n\n", "Two.\n\n", "Three.")
    end(room, run)

    answer = await read(browser, run, after=0, **{"last-event-id": "3"})

    assert "One" not in answer.text
    assert messages(answer.text)[0][0] == 4


async def test_a_run_whose_process_died_is_told_as_interrupted(room, browser):
    run = room.chat()
    room.engine.say(run, "Half")
    room.stores.runs.save(replace(run, state=RunState.INTERRUPTED))

    answer = await read(browser, run)

    assert "Interrupted when Doorkey closed." in answer.text
    assert 'aria-label="Send"' in answer.text


async def test_the_last_words_come_even_when_the_row_has_ended_before_them(room, browser):
    run = room.chat()
    room.engine.say(run, "Almost ")
    room.stores.runs.save(replace(run, state=RunState.DONE))

    page = await browser.get(f"/chats/{run.conversation}")

    assert f"/runs/{run.id}/stream?after=1" in page.text


async def test_a_page_that_has_everything_is_told_that_it_ended(room, browser):
    run = room.chat()
    end(room, run)

    answer = await read(browser, run, after=1)

    assert messages(answer.text) == []
    assert "event: end" in answer.text


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "²"])
async def test_a_number_that_is_none_is_refused(room, browser, number):
    run = room.chat()

    answer = await read(browser, run, after=number)

    assert answer.status_code == 400


async def test_a_run_that_is_not_there_has_no_stream(browser):
    answer = await browser.get("/runs/nothing/stream")

    assert answer.status_code == 404


async def test_a_tool_call_and_its_result_are_one_card(room, browser):
    run = room.chat()
    room.engine.tell(run, EventKind.CALL, call_id="c1", tool="read_file", arguments={"path": "a.txt"})
    room.engine.tell(run, EventKind.RESULT, call_id="c1", tool="read_file", text="<b>content</b>", ok=True)
    end(room, run)

    page = await browser.get(f"/chats/{run.conversation}")

    assert page.text.count(f'id="piece-{run.id}-1"') == 1
    assert "&lt;b&gt;content&lt;/b&gt;" in page.text


async def test_a_result_that_comes_later_replaces_the_card(room, browser):
    run = room.chat()
    room.engine.tell(run, EventKind.CALL, call_id="c1", tool="read_file", arguments={"path": "a.txt"})
    room.engine.tell(run, EventKind.RESULT, call_id="c1", tool="read_file", text="found", ok=True)
    end(room, run)

    answer = await read(browser, run, after=1)

    assert f'hx-target="#piece-{run.id}-1" hx-swap="outerMorph"' in answer.text
    assert 'hx-swap="beforeend"' not in answer.text


async def test_an_approval_comes_with_its_exact_arguments(room, browser):
    run = room.chat()
    approval = an_approval(run, arguments='{"content":"<i>a</i>","path":"notes.txt"}', tool="write_file")
    room.stores.approvals.add(approval)
    room.engine.tell(run, EventKind.APPROVAL, approval=approval.id, call_id=approval.call_id, tool="write_file")
    end(room, run)

    answer = await read(browser, run)

    assert "&lt;i&gt;a&lt;/i&gt;" in answer.text
    assert "notes.txt" in answer.text
    assert "Allow once" in answer.text


async def test_a_quiet_stream_says_that_it_is_still_here(room):
    run = room.chat()
    heard = anyio.Event()

    async def receive():
        await heard.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body") == STILL_HERE:
            heard.set()

    with anyio.fail_after(10):
        await RunStream(room.desk, run.id, 0, heartbeat=0.01)({"type": "http"}, receive, send)

    assert heard.is_set()


async def test_a_page_that_leaves_ends_its_stream_and_not_the_run(room, browser):
    run = room.chat()

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    await RunStream(room.desk, run.id, 0)({"type": "http"}, receive, send)

    assert room.stores.runs.load(run.id).state == "running"
    assert room.engine.calls == []
