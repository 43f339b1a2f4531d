"""The audit as a page."""

import re

from doorkey.domain.audit import Action, Surface
from doorkey.testing.values import an_entry


def rows(page):
    """Read the table as text, row by row, without its head."""
    body = page.text.split("<tbody>")[1].split("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]


async def test_the_table_tells_when_what_which_account_and_by_whom(room, browser):
    room.house.journal.record(
        an_entry(action=Action.SIGNED_IN, detail="doorkey login"),
        an_entry(action=Action.REVOKED, surface=Surface.LIBRARY, detail="job.py"),
    )

    page = await browser.get("/settings/audit")

    moment = an_entry().at.astimezone().strftime("%-d %B, %H:%M")
    assert rows(page) == [
        f"{moment} Ended at the provider ada@example.com acme · oauth Another program job.py",
        f"{moment} Signed in ada@example.com acme · oauth Command line doorkey login",
    ]


async def test_a_chat_is_linked_by_its_title_while_it_is_there(room, browser):
    run = room.chat(title="About keys")
    room.house.journal.record(
        an_entry(surface=Surface.APP, detail=f"chat {run.conversation}"),
        an_entry(surface=Surface.APP, detail="chat cht_gone"),
    )

    page = await browser.get("/settings/audit")

    gone, linked = rows(page)
    assert linked.endswith("This page About keys")
    assert f'<a href="/chats/{run.conversation}">About keys</a>' in page.text
    assert gone.endswith("This page a deleted chat")


async def test_a_disconnect_on_the_page_is_there_at_once(room, browser):
    account = room.keep()

    await browser.post(f"/accounts/{account.id}/leave", json={}, headers={"hx-request": "true"})

    page = await browser.get("/settings/audit")
    assert "Forgotten here ada@example.com" in rows(page)[0]


async def test_the_last_use_of_each_account_is_told(room, browser):
    account = room.keep()
    room.house.journal.record(an_entry(account=account.id, at=room.services.clock.now()))
    room.keep(name="spare", id="acc_spare")

    page = await browser.get("/settings/audit")

    assert "<span>ada@example.com at acme: just now</span>" in page.text
    assert "<span>spare at acme: not yet</span>" in page.text


async def test_names_are_escaped(room, browser):
    room.house.journal.record(an_entry(label="<b>ada</b>", detail="<script>"))

    page = await browser.get("/settings/audit")

    assert "&lt;b&gt;ada&lt;/b&gt;" in page.text
    assert "<script>" not in page.text.split("<tbody>")[1].split("</tbody>")[0]


async def test_an_empty_audit_says_so(browser):
    page = await browser.get("/settings/audit")

    assert "Nothing was written down yet." in page.text


async def test_the_settings_search_finds_it(browser):
    page = await browser.get("/settings/appearance")

    words = re.search(r'data-words="([^"]*)"><a href="/settings/audit"', page.text)[1]
    assert all(word in words for word in ("audit", "log", "history", "last use", "exported"))
