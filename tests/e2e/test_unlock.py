"""A vault with a passphrase, and an app that was started where nobody can be asked for it: the page asks."""

import signal
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from doorkey.bootstrap import open_house
from tests.e2e.app import refreshes
from tests.e2e.pages import Chat
from tests.e2e.test_look import DESK, PHONE, TOO_SMALL, overflow

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def locked(app, window):
    """Sign Ada in, give the vault a passphrase, and start the app anew, away from any terminal."""
    app.start()
    app.sign_in()
    app.stop()
    command = [sys.executable, "-m", "doorkey", "key", "use", "passphrase"]
    subprocess.run(command, input=f"{PASSPHRASE}\n", text=True, check=True, capture_output=True)

    def visit(**options):
        page = window(**options).new_page()
        page.goto(app.launch_url())
        page.wait_for_url("http://127.0.0.1:*/")
        return page

    app.start()
    return visit


def unlock(page, passphrase):
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Open", exact=True).click()


def test_the_page_asks_once_and_then_everything_serves(locked, app):
    page = locked()
    expect(page.get_by_label("Passphrase")).to_be_focused()

    unlock(page, PASSPHRASE)

    chat = Chat(page)
    expect(chat.message).to_be_visible()
    chat.choose_model()
    chat.say("say: Open.")
    chat.hear("Open.")
    page.goto(f"{app.url}/settings/providers")
    expect(page.get_by_text("ada@practice.example")).to_be_visible()


def test_a_wrong_one_is_told_and_the_next_has_to_wait(locked, complaints):
    complaints.expect("status of 422")
    page = locked()

    unlock(page, "something else altogether")

    expect(page.get_by_role("alert")).to_contain_text("That is not the passphrase of this vault.")
    expect(page.get_by_role("button", name="Open in 1 s")).to_be_disabled()
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_enabled()
    unlock(page, PASSPHRASE)
    expect(Chat(page).message).to_be_visible()


def test_the_page_that_was_wanted_comes_after_it(locked, app):
    page = locked()
    page.goto(f"{app.url}/settings/audit")

    unlock(page, PASSPHRASE)

    expect(page.get_by_role("heading", name="Audit")).to_be_visible()


def test_what_fell_due_while_it_was_locked_is_renewed_when_it_opens(locked, app, practice):
    app.stop(signal.SIGKILL)
    grow_old()
    app.start()
    page = locked()
    before = refreshes(practice)

    unlock(page, PASSPHRASE)
    chat = Chat(page)
    chat.choose_model()
    chat.say("say: Renewed.")
    chat.hear("Renewed.")

    assert refreshes(practice) == before + 1


def grow_old():
    """Let every access token have ended."""
    from dataclasses import replace
    from datetime import timedelta
    from types import SimpleNamespace

    from doorkey.domain.secret import Secret

    typist = SimpleNamespace(ask=lambda: Secret(PASSPHRASE))
    with open_house(passphrases=typist) as house:
        accounts = house.vault.accounts
        for account in accounts.all():
            held = accounts.load(account.id)
            past = house.clock.now() - timedelta(hours=1)
            older = replace(account, expires_at=past, generation=account.generation + 1)
            accounts.save(
                replace(held, account=older, tokens=replace(held.tokens, expires_at=past)), read=account.generation
            )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_touched(locked, size, scheme, complaints):
    complaints.expect("status of 422")
    page = locked(viewport=size, color_scheme=scheme)

    unlock(page, "something else altogether")
    expect(page.get_by_role("alert")).to_be_visible()

    assert overflow(page) == 0
    assert page.evaluate(TOO_SMALL) == []
