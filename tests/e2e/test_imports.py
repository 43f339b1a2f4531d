"""The dialog of what other programs keep here, in a browser: shown, unticked, and taken only by a tick."""

import pytest
from playwright.sync_api import expect

from tests.adapters.imports.foreign import CANARY, claude_login, codex_login, state_of, write
from tests.e2e.conftest import enter
from tests.e2e.pages import Providers

CODEX = "\n[providers.openai.methods.codex]\nenabled = true\n"


@pytest.fixture
def dialog(app, window, home):
    """Start the app beside other programs' files, and open the dialog."""
    write(home / ".codex" / "auth.json", codex_login())
    write(home / ".claude" / ".credentials.json", claude_login())
    write(app.folder / ".env", f"ANTHROPIC_API_KEY=sk-ant-{CANARY}", mode=0o644)
    app.configure(CODEX)
    page = enter(window().new_page(), app.start())
    Providers(page).open()
    page.get_by_role("button", name="Import…").click()
    return page.get_by_role("dialog")


def test_everything_is_shown_and_nothing_is_ticked_or_secret(dialog):
    boxes = dialog.get_by_role("checkbox")

    expect(boxes).to_have_count(4)
    assert [box.is_checked() for box in boxes.all()] == [False] * 4
    expect(dialog).to_contain_text("ada@example.com")
    expect(dialog).to_contain_text("Others on this computer may read it")
    expect(dialog.get_by_role("checkbox", name="Sign-in of Claude Code")).to_be_disabled()
    assert CANARY not in dialog.page.content()


def test_a_tick_and_a_yes_to_the_terms_import_and_the_file_stays(dialog, home):
    before = state_of(home / ".codex")
    dialog.get_by_role("checkbox", name="Sign-in of Codex").check()
    dialog.get_by_role("button", name="Import what is ticked").click()
    expect(dialog.get_by_role("alert")).to_contain_text("OpenAI tolerates")

    dialog.get_by_role("checkbox", name="Sign-in of Codex").check()
    dialog.get_by_role("checkbox", name="I have read this").check()
    dialog.get_by_role("button", name="Import what is ticked").click()

    expect(dialog).not_to_be_visible()
    card = Providers(dialog.page).card("OpenAI")
    expect(card).to_contain_text("ada@example.com")
    expect(card).to_contain_text("Ready")
    assert state_of(home / ".codex") == before
