"""Chats on the page: what is said, who serves it, and what the person decides."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import State
from doorkey.domain.approval import Decision
from doorkey.domain.conversation import EventKind, RunState
from doorkey.errors import ProviderUnavailable, SignInNeeded, UnknownName
from doorkey.service.resolve import Wish
from doorkey.service.rules import Rule
from doorkey.testing.values import HOUR, an_approval, an_identity
from doorkey.web.words import clock

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


async def test_a_pending_approval_survives_a_reload(room, browser):
    run, approval = asked(room)

    page = await browser.get(f"/chats/{run.conversation}")

    assert "notes.txt" in page.text
    assert f"/approvals/{approval.id}" in page.text
    assert page.text.index("Allow once") < page.text.index("Allow in this chat") < page.text.index("Deny")


async def test_a_card_shows_the_path_and_then_the_content(room, browser):
    run, _ = asked(room, arguments='{"content":"Hello\\nthere","path":"notes.txt"}')

    page = await browser.get(f"/chats/{run.conversation}")

    card = page.text.split('class="approval pending"')[1].split("</form>")[0]
    assert card.index("notes.txt") < card.index('<dd class="wide"><pre>Hello\nthere</pre>')


def card_of(page):
    return page.text.split('class="approval pending"')[1].split("</form>")[0]


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


def wanting(content, path="notes.txt"):
    return {"tool": "write_file", "arguments": json.dumps({"content": content, "path": path})}


async def test_a_write_shows_what_it_would_change(room, browser, folder):
    (folder / "notes.txt").write_text("one\ntwo\nthree\n")
    run, approval = asked(room, folder=str(folder), **wanting("one\n2 & 3\nthree\n"))

    card = card_of(await browser.get(f"/chats/{run.conversation}"))

    assert '<span class="removed">-two</span>' in card
    assert '<span class="added">+2 &amp; 3</span>' in card
    assert '<span class="same"> one</span>' in card
    assert "--- notes.txt" not in card
    assert "<pre>one\n2 &amp; 3\nthree\n</pre>" in card
    decided = await browser.post(f"/approvals/{approval.id}", json={"decision": "once"})
    assert "removed" not in decided.text


async def test_a_write_over_a_binary_file_says_so(room, browser, folder):
    (folder / "notes.txt").write_bytes(b"\x00\x01")
    run, _ = asked(room, folder=str(folder), **wanting("Hello"))

    card = card_of(await browser.get(f"/chats/{run.conversation}"))

    assert "[replaces notes.txt, which is binary or too big to compare]" in card


async def test_what_cannot_be_seen_in_a_diff_is_written_out(room, browser, folder):
    run, _ = asked(room, folder=str(folder), **wanting("safe\u202egnp.exe"))

    card = card_of(await browser.get(f"/chats/{run.conversation}"))

    diff = card.split('<pre class="diff"')[1].split("</pre>")[0]
    assert "\u202e" not in diff
    assert "u202e" in diff


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd"])
async def test_a_write_that_will_be_refused_shows_its_arguments(room, browser, folder, path):
    run, _ = asked(room, folder=str(folder), **wanting("Hello", path))

    card = card_of(await browser.get(f"/chats/{run.conversation}"))

    assert 'class="diff"' not in card
    assert path in card


async def test_the_stream_shows_what_a_write_would_change(room, browser, folder):
    run, _ = asked(room, folder=str(folder), **wanting("Hello"))
    room.engine.tell(run, EventKind.STATE, state="done")

    stream = await browser.get(f"/runs/{run.id}/stream")

    assert '<span class="added">+Hello</span>' in stream.text


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


@pytest.mark.parametrize(
    ("note", "warns"),
    [("Writes notes.txt.", False), ("Writes Makefile; a build runs it later.", True), (None, False)],
)
async def test_a_card_warns_only_of_what_is_special(room, browser, note, warns):
    run, _ = asked(room, note=note)

    page = await browser.get(f"/chats/{run.conversation}")

    card = page.text.split('class="approval pending"')[1].split("</form>")[0]
    assert ("notice warn" in card and note in card) == warns


async def test_a_decision_reaches_the_engine_with_its_reason(room, browser):
    _, approval = asked(room)

    answer = await browser.post(f"/approvals/{approval.id}", json={"decision": "deny", "reason": "not now"})

    assert room.engine.calls == [("decide", approval.id, Decision.DENY, "not now")]
    assert "was denied: not now" in answer.text


async def test_only_denying_is_a_submit_button(room, browser):
    """Enter in the field for the reason may never allow anything."""
    run, _ = asked(room)

    page = await browser.get(f"/chats/{run.conversation}")

    form = page.text.split('class="approval pending"')[1].split("</form>")[0]
    assert form.count('type="submit"') == 1
    assert '<button type="submit" class="quiet bad" name="decision" value="deny">' in form


async def test_a_decision_that_is_none_is_refused(room, browser):
    _, approval = asked(room)

    answer = await browser.post(f"/approvals/{approval.id}", json={"decision": "always"}, headers=HTMX)

    assert answer.status_code == 404
    assert room.engine.calls == []


def asked(room, folder=None, **changes):
    run = room.chat(folder=folder)
    approval = an_approval(run, **changes)
    room.stores.approvals.add(approval)
    room.engine.tell(run, EventKind.APPROVAL, approval=approval.id, call_id=approval.call_id, tool=approval.tool)
    return run, approval


async def test_the_bar_says_who_will_serve_and_pay(room, browser):
    room.keep()

    answer = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "ada@example.com: Using Acme plan" in " ".join(answer.text.split())


async def test_the_bar_warns_of_an_account_that_is_signed_out(room, browser):
    account = room.keep()
    room.house.vault.accounts.save_standing(
        replace(account, standing=replace(account.standing, state="sign_in_needed"))
    )

    answer = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "Sign-in needed" in answer.text
    assert "Reconnect" in answer.text


async def test_a_key_from_an_env_file_waits_for_a_confirmation(room, browser):
    room.found("ACME_API_KEY", "canary")
    before = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)
    name = before.text.split("hx-vals='")[1].split("'")[0]
    await browser.post("/consents", json=json.loads(name))

    after = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "Confirm" in before.text
    assert "ACME_API_KEY from .env" in after.text
    assert "metered" in after.text


async def test_a_model_of_another_provider_drops_the_pinned_account(room, browser):
    account = room.keep()
    run = room.chat(account=account.id)

    await browser.post("/bar", json={"chat": run.conversation, "model": "openai:large", "account": account.id})

    chat = room.stores.conversations.load(run.conversation)
    assert (chat.model, chat.account) == ("openai:large", None)


async def test_a_folder_is_checked_kept_and_remembered(room, browser):
    run = room.chat()
    choice = {"chat": run.conversation, "model": "acme:small", "folder": "/projects/one/"}

    await browser.post("/bar", json=choice, headers=HTMX)

    assert room.stores.conversations.load(run.conversation).folder == "/projects/one"
    assert "/projects/one" in (await browser.get("/")).text


async def test_a_folder_that_stays_closed_is_not_kept(room, browser):
    run = room.chat()

    answer = await browser.post("/bar", json={"chat": run.conversation, "folder": "/etc"}, headers=HTMX)

    assert answer.status_code == 422
    assert "That folder stays closed." in answer.text
    assert room.stores.conversations.load(run.conversation).folder is None


async def test_the_picker_offers_connected_providers_and_locks_the_others(room, browser):
    room.keep()

    answer = await browser.get("/picker", headers=HTMX)

    able, locked = answer.text.split('class="group locked"', 1)
    assert 'hx-get="/picker/acme"' in able
    assert 'hx-post="/connect/openai"' in locked
    assert "Acme" not in locked


async def test_the_picker_lists_the_models_of_an_account(room, browser):
    room.keep()
    room.list_models("small", "large")

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert answer.text.index("small") < answer.text.index("large")
    assert "acme:large" in answer.text


async def test_a_model_that_was_refused_says_so_and_stays_to_be_chosen(room, browser):
    room.keep()
    room.list_models("small", "large")
    choice = room.services.resolver.choose(Wish(provider="acme"))
    room.services.models.explain(choice, "large", UnknownName("It is not served."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert "Refused last time: it is not in your Plus plan." in answer.text
    assert "acme:large" in answer.text


async def test_an_old_list_tells_its_age(room, browser):
    account = room.keep()
    read_at = (room.services.clock.now() - timedelta(hours=3)).isoformat()
    kept = {"names": ["small"], "read_at": read_at, "refused": {"huge": "is switched off"}, "met": {}}
    room.stores.preferences.set(f"models:{account.id}", json.dumps(kept))
    room.endpoints.scripted.append(ProviderUnavailable("api.example did not answer."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert "api.example did not answer. This list was read 3 hours ago." in answer.text
    assert "huge is switched off." in answer.text
    assert "acme:huge" not in answer.text


async def test_the_nearest_model_is_offered_and_not_taken(room, browser):
    run = room.chat()
    gone = {"error": "model_refused", "message": "smal is not there.", "hint": "Choose.", "nearest": "acme:small"}
    room.engine.tell(run, EventKind.STATE, state="failed", **gone)

    page = await browser.get(f"/chats/{run.conversation}")

    assert "Use acme:small</button>" in page.text
    assert run.prompt in page.text


async def test_a_provider_that_does_not_answer_says_so_in_its_group(room, browser):
    room.keep()
    room.endpoints.scripted.append(ProviderUnavailable("api.example did not answer."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert answer.status_code == 200
    assert "api.example did not answer." in answer.text


async def test_a_new_chat_begins_with_the_first_model_that_there_is(room, browser):
    room.keep()
    room.list_models("small", "large")
    page = await browser.get("/")

    answer = await browser.post("/bar/now", json={"model": ""}, headers=HTMX)

    assert 'hx-post="/bar/now" hx-trigger="load"' in page.text
    assert 'value="acme:small"' in answer.text
    assert 'hx-trigger="load"' not in answer.text


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


async def test_the_bar_follows_the_rule_of_the_chat_s_folder(room, browser):
    room.keep()
    work = room.keep(id="acc_work", name="work", identity=an_identity(subject="another"))
    room.services.book.rules.set(Rule(provider="acme", folder="/projects/site", account=work.id))

    elsewhere = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)
    inside = await browser.post("/bar", json={"model": "acme:small", "folder": "/projects/site/src"}, headers=HTMX)

    assert "ada@example.com: Using Acme plan" in elsewhere.text
    assert "work: Using Acme plan" in inside.text


async def test_the_bar_says_that_another_account_may_not_serve_in_a_folder(room, browser):
    work = room.keep(name="work")
    other = room.keep(id="acc_other", name="private", identity=an_identity(subject="another"))
    room.services.book.rules.set(Rule(provider="acme", folder="/projects/site", account=work.id, only=True))
    chosen = {"model": "acme:small", "folder": "/projects/site", "account": other.id}

    bar = await browser.post("/bar", json=chosen, headers=HTMX)

    assert "In /projects/site only work may serve acme." in bar.text
