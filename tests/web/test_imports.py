"""The dialog of what other programs keep here: nothing is ticked, and nothing secret is shown."""

import re

import pytest

from tests.adapters.imports.foreign import CANARY, claude_login, codex_login, state_of, write
from tests.web.room import Room

SWITCHED_ON = """
[providers.openai.methods.codex]
enabled = true
"""
TICKED = {"take codex/sign-in": "yes"}


@pytest.fixture
def room(tmp_path, home):
    write(home / ".codex" / "auth.json", codex_login())
    furnished = Room(tmp_path, SWITCHED_ON)
    with furnished.house:
        yield furnished


async def test_the_providers_page_leads_there(browser):
    page = await browser.get("/settings/providers")

    assert 'hx-get="/imports"' in page.text


async def test_nothing_is_ticked_and_nothing_secret_is_shown(room, browser, home):
    write(home / ".claude" / ".credentials.json", claude_login())
    write(room.folder / ".env", f"OPENAI_API_KEY=sk-{CANARY}")

    dialog = await browser.get("/imports")

    boxes = re.findall(r'<input type="checkbox" name="(.*?)"[^>]*>', dialog.text)
    assert boxes == ["take codex/sign-in", "agree codex/sign-in", "take env/OPENAI_API_KEY", "take claude-code/sign-in"]
    assert "checked" not in dialog.text
    assert CANARY not in dialog.text
    assert "ada@example.com" in dialog.text
    assert re.search(r'name="take claude-code/sign-in"[^>]* disabled', dialog.text)


async def test_what_is_ticked_and_agreed_to_is_imported_and_its_file_stays(room, browser, home):
    before = state_of(home / ".codex")

    answer = await browser.post("/imports", json=TICKED | {"agree codex/sign-in": "yes"})

    (account,) = room.services.book.all()
    assert (account.owner, account.label) == ("codex", "ada@example.com")
    assert "Imported: ada@example.com" in answer.text
    assert answer.headers["HX-Trigger"] == "accounts-changed,dialog-done"
    assert state_of(home / ".codex") == before
    assert "Here already" in (await browser.get("/imports")).text


async def test_terms_that_nobody_agreed_to_keep_it_out(room, browser):
    answer = await browser.post("/imports", json=TICKED)

    assert room.services.book.all() == []
    assert "tolerates in other apps" in answer.text
    assert 'role="alert"' in answer.text


async def test_what_is_not_ticked_stays_where_it_is(room, browser):
    answer = await browser.post("/imports", json={})

    assert room.services.book.all() == []
    assert "Nothing was imported" in answer.text


async def test_what_is_only_shown_cannot_be_ticked_from_outside_either(room, browser, home):
    write(home / ".claude" / ".credentials.json", claude_login())

    await browser.post("/imports", json={"take claude-code/sign-in": "yes"})

    assert room.services.book.all() == []


async def test_a_damaged_file_is_said_beside_the_others(browser, home):
    write(home / ".claude" / ".credentials.json", "{")

    dialog = await browser.get("/imports")

    assert ".credentials.json is not whole" in dialog.text
    assert "ada@example.com" in dialog.text


async def test_a_request_without_the_key_imports_nothing(room, browser):
    refused = await browser.post(
        "/imports", json=TICKED | {"agree codex/sign-in": "yes"}, headers={"x-doorkey-key": "no"}
    )

    assert (refused.status_code, room.services.book.all()) == (403, [])


async def test_where_there_is_nothing_the_places_are_named(browser, home):
    (home / ".codex" / "auth.json").unlink()

    dialog = await browser.get("/imports")

    assert "Nothing was found" in dialog.text
    assert "Import what is ticked" not in dialog.text


async def test_a_borrowed_account_has_no_button_that_would_sign_it_in_here(room, browser, home):
    await browser.post("/imports", json=TICKED | {"agree codex/sign-in": "yes"})
    (account,) = room.services.book.all()
    (home / ".codex" / "auth.json").unlink()

    page = (await browser.get("/settings/providers")).text
    leaving = (await browser.get(f"/accounts/{account.id}/leave")).text

    assert "Codex keeps no ChatGPT sign-in in its file." in page
    assert "Reconnect" not in page
    assert "Codex keeps this sign-in, and stays signed in." in leaving
