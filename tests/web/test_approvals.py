"""The cards of calls that wait for a yes: what they show, and how a decision is made."""

import json

import pytest

from doorkey.domain.approval import Decision
from doorkey.domain.conversation import EventKind
from doorkey.testing.values import an_approval

HTMX = {"hx-request": "true"}


def asked(room, folder=None, **changes):
    run = room.chat(folder=folder)
    approval = an_approval(run, **changes)
    room.stores.approvals.add(approval)
    room.engine.tell(run, EventKind.APPROVAL, approval=approval.id, call_id=approval.call_id, tool=approval.tool)
    return run, approval


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
