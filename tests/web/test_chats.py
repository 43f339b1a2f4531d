"""Chats on the page: what is said, and who served and paid for it."""

from dataclasses import replace

import pytest

from doorkey.domain.account import State
from doorkey.domain.conversation import EventKind, RunState
from doorkey.errors import SignInNeeded
from doorkey.service.dates import clock
from doorkey.testing.values import HOUR

HTMX = {"hx-request": "true"}


async def test_a_first_message_makes_a_chat_and_goes_there(room, browser):
    room.keep()

    answer = await browser.post("/chats", json={"prompt": "Hello\nthere", "model": "acme:small"}, headers=HTMX)

    chat = room.stores.conversations.all()[0]
    assert answer.headers["hx-redirect"] == f"/chats/{chat.id}"
    assert (chat.title, chat.model) == ("Hello", "acme:small")
    assert room.engine.calls == [("start", chat.id, "Hello\nthere")]


async def test_a_message_without_a_model_is_not_taken(room, browser):
    answer = await browser.post("/chats", json={"prompt": "Hello"}, headers=HTMX)

    assert answer.status_code == 409
    assert "No model is chosen yet" in answer.text
    assert room.stores.conversations.all() == []


async def test_a_message_brings_its_turn_and_a_stop_button(room, browser):
    chat = room.chat().conversation

    answer = await browser.post(f"/chats/{chat}/messages", json={"prompt": "<b>Again</b>"}, headers=HTMX)

    assert "&lt;b&gt;Again&lt;/b&gt;" in answer.text
    assert "hx-sse:connect" in answer.text
    assert "/stop" in answer.text


async def test_a_reload_in_mid_answer_goes_on_from_its_last_event(room, browser):
    run = room.chat()
    room.engine.say(run, "One.\n\n", "Two")

    page = await browser.get(f"/chats/{run.conversation}")

    assert f'hx-sse:connect="/runs/{run.id}/stream?after=2"' in page.text
    assert page.text.count("One.") == page.text.count("<p>Two</p>") == 1


async def test_a_finished_answer_has_no_stream(room, browser):
    run = room.chat()
    room.engine.tell(run, EventKind.STATE, state="done")

    page = await browser.get(f"/chats/{run.conversation}")

    assert "hx-sse:connect" not in page.text
    assert "Send" in page.text


async def test_every_answer_says_who_served_and_who_paid(room, browser):
    run = room.chat()
    room.engine.tell(
        run,
        EventKind.SERVED,
        provider="acme",
        model="small",
        account="a",
        label="ada@example.com",
        method="oauth",
        payer="plan",
        source="managed",
    )

    page = await browser.get(f"/chats/{run.conversation}")

    assert "ada@example.com" in page.text
    assert "Using Acme plan" in page.text


async def test_a_dead_sign_in_is_explained_where_it_happened(room, browser):
    run = room.chat()
    gone = {"error": "sign_in_needed", "message": "ada is signed out.", "hint": "Sign in again."}
    room.engine.tell(run, EventKind.STATE, state="failed", **gone)

    page = await browser.get(f"/chats/{run.conversation}")

    assert "ada is signed out." in page.text
    assert 'hx-post="/connect/acme"' in page.text
    assert f"/runs/{run.id}/retry" in page.text
    assert run.prompt in page.text


async def test_the_hint_of_a_dead_sign_in_is_the_button_beside_it_and_no_command(room, browser):
    account = room.keep()
    run = room.chat()
    gone = SignInNeeded("The sign-in is no longer accepted.")
    room.stores.runs.save(replace(run, state=RunState.FAILED, error=gone.code, message=str(gone), hint=gone.hint))

    page = await browser.get(f"/chats/{run.conversation}")

    assert "Reconnect, then try again" in page.text
    assert "doorkey login" not in page.text
    assert account.id in page.text


async def test_a_failure_before_any_event_is_told_as_well(room, browser):
    run = room.chat()
    room.stores.runs.save(
        replace(run, state=RunState.FAILED, error="policy_refused", message="Not that.", hint="This.")
    )

    page = await browser.get(f"/chats/{run.conversation}")

    assert "Not that." in page.text
    assert "This." in page.text


async def test_a_used_up_plan_says_when_it_opens_again(room, browser):
    account = room.keep()
    run = room.chat()
    until = room.services.clock.now() + HOUR
    room.stand(account, state=State.OVER_LIMIT, reason="The plan is used up.", until=until)
    room.engine.tell(run, EventKind.STATE, state="failed", error="usage_limit_reached", message="Used up.")

    page = await browser.get(f"/chats/{run.conversation}")

    assert f"It opens again on {clock(until)}." in page.text


async def test_a_used_up_plan_that_is_open_again_names_no_time(room, browser):
    account = room.keep()
    run = room.chat()
    until = room.services.clock.now() - HOUR
    room.stand(account, state=State.OVER_LIMIT, reason="The plan is used up.", until=until)
    room.engine.tell(run, EventKind.STATE, state="failed", error="usage_limit_reached", message="Used up.")

    page = await browser.get(f"/chats/{run.conversation}")

    assert "Used up." in page.text
    assert "It opens again" not in page.text


async def test_trying_again_records_the_yes_that_was_missing(room, browser):
    run = room.chat()

    answer = await browser.post(f"/runs/{run.id}/retry", json={"consent": "env-key:acme"}, headers=HTMX)

    assert answer.status_code == 200
    assert room.services.consents.given("env-key:acme")
    assert room.engine.calls == [("start", run.conversation, run.prompt)]


async def test_stop_and_resume_reach_the_engine(room, browser):
    run = room.chat()

    await browser.post(f"/runs/{run.id}/stop")
    await browser.post(f"/runs/{run.id}/resume")

    assert room.engine.calls == [("stop", run.id), ("resume", run.id)]


async def test_a_chat_is_renamed_in_its_head_and_in_the_list(room, browser):
    run = room.chat(title="Old")

    answer = await browser.patch(f"/chats/{run.conversation}", json={"title": "  A new\n <name> "})

    assert "<title>A new &lt;name&gt; · Doorkey</title>" in answer.text
    assert answer.text.count("A new &lt;name&gt;</") == 2
    assert room.stores.conversations.load(run.conversation).title == "A new <name>"


@pytest.mark.parametrize(("title", "status"), [("", 400), (" ", 400), (None, 400), (7, 400)])
async def test_a_chat_without_a_name_stays_as_it_is(room, browser, title, status):
    run = room.chat(title="Old")

    answer = await browser.patch(f"/chats/{run.conversation}", json={"title": title})

    assert answer.status_code == status
    assert room.stores.conversations.load(run.conversation).title == "Old"


async def test_a_long_name_is_cut(room, browser):
    run = room.chat(title="Old")

    await browser.patch(f"/chats/{run.conversation}", json={"title": "x" * 500})

    assert room.stores.conversations.load(run.conversation).title == "x" * 80


async def test_a_deleted_chat_is_stopped_and_gone(room, browser):
    run = room.chat()

    answer = await browser.delete(f"/chats/{run.conversation}", headers=HTMX)

    assert answer.headers["hx-redirect"] == "/"
    assert room.engine.calls == [("stop", run.id)]
    assert room.stores.conversations.all() == []


async def test_a_chat_that_is_not_there_says_so(browser):
    answer = await browser.get("/chats/nothing")

    assert answer.status_code == 404
    assert "Back to the chats" in answer.text


async def test_a_mistake_of_ours_is_told_without_what_it_says(room):
    entered = await room.enter(raise_app_exceptions=False)

    answer = await entered.post("/runs/nothing/stop", json={}, headers=HTMX)

    assert answer.status_code == 500
    assert "Something went wrong inside Doorkey." in answer.text
    assert "canary" not in answer.text
