"""What an account goes through while a chat uses it: it lapses, it ends, it comes from a file, it outlives the app."""

import pytest
from playwright.sync_api import expect

from tests.e2e.app import free_port, refreshes
from tests.e2e.conftest import enter
from tests.e2e.pages import Chat, Dialog, Providers

ACME = """
[providers.acme]
name = "Acme"
[providers.acme.api]
base_url = "{url}/v1"
dialect = "openai-chat"
env = "ACME_API_KEY"
"""

UNTIL_LAPSED = """
async () => {
  const state = async () => (await (await fetch("/api/accounts")).json()).accounts[0].state;
  while (await state() !== "lapsed") await new Promise(resolve => setTimeout(resolve, 100));
}
"""
HOUR = 3600


@pytest.fixture
def short_lived(practice, request):
    """As `signed_in`, with tokens that last a few seconds."""
    practice.sandbox._world.token_lifetime = 4
    return request.getfixturevalue("signed_in")


def test_an_expired_token_is_renewed_once_and_nobody_notices(short_lived, practice):
    chat = Chat(short_lived)
    chat.choose_model()
    chat.say("say: Before.")
    chat.hear("Before.")
    short_lived.evaluate(UNTIL_LAPSED)
    practice.sandbox._world.token_lifetime = HOUR
    before = refreshes(practice)

    chat.say("say: After.")

    chat.hear("After.")
    expect(chat.answer.get_by_role("alert")).to_have_count(0)
    assert refreshes(practice) == before + 1


def test_a_revoked_sign_in_is_told_and_mended_in_the_chat(signed_in, practice):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("say: Before.")
    chat.hear("Before.")
    practice.sandbox.faults.add("revoked_grant")
    chat.say("say: After all.")
    expect(chat.answer.get_by_role("alert")).to_be_visible()
    expect(chat.bar).to_contain_text("Sign-in needed: ada@practice.example")
    chat.message.fill("What I was typing")

    chat.answer.get_by_role("button", name="Reconnect").click()
    Dialog(signed_in).follow().allow()
    expect(signed_in.get_by_role("dialog")).to_be_hidden()
    chat.answer.get_by_role("button", name="Try again").click()

    expect(chat.answers).to_have_count(3)
    chat.hear("After all.")
    expect(chat.message).to_have_value("What I was typing")


def test_a_used_up_limit_stops_and_changes_no_payer(signed_in, practice):
    chat = Chat(signed_in)
    chat.choose_model()
    practice.sandbox.faults.add("limit_with_reset", times=5, seconds=600)

    chat.say("say: Hello.")

    expect(chat.answer.get_by_role("alert")).to_contain_text("It opens again on")
    expect(chat.answer.get_by_role("button", name="Try again")).to_be_visible()
    expect(chat.bar).to_contain_text("ada@practice.example")
    assert practice.sandbox.log.count(action="chat") == 1


def test_a_restart_keeps_the_sign_in_and_the_chat(signed_in, app):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("say: Remember me.")
    chat.hear("Remember me.")
    address = signed_in.url
    signed_in.goto("about:blank")

    app.stop()
    enter(signed_in, app.start())

    signed_in.goto(address)
    expect(chat.answer).to_contain_text("Remember me.")
    chat.say("say: Still here.")
    chat.hear("Still here.", "ada@practice.example")
    expect(chat.answers).to_have_count(2)


def test_a_key_from_a_file_is_confirmed_once_and_called_metered(app, practice, window):
    app.configure(ACME.format(url=practice.url))
    (app.folder / ".env").write_text(f"ACME_API_KEY={practice.sandbox.make_key()}\n")
    page = enter(window().new_page(), app.start())
    chat = Chat(page)
    chat.open_picker()

    with page.expect_response("**/bar/now"):
        chat.picker_group("Acme").get_by_role("button", name="Confirm").click()
    chat.picker_group("Acme").get_by_role("button", name="practice-small").click()

    expect(chat.bar).to_contain_text("ACME_API_KEY from .env, metered")
    chat.say("Who pays?")
    chat.hear("served to a practice key", "From .env, metered")
    chat.open_picker()
    expect(chat.picker_group("Acme").get_by_role("button", name="practice-large")).to_be_visible()
    expect(chat.picker_group("Acme").get_by_role("button", name="Confirm")).to_have_count(0)
    expect(Providers(page).open().card("Acme")).to_contain_text("from .env, metered")


def test_the_app_starts_its_own_practice_provider(app, window):
    app.practice_url = f"http://127.0.0.1:{free_port()}"
    app.configure()
    page = enter(window().new_page(), app.start())

    Providers(page).open().connect("Sandbox").follow().allow()

    expect(Providers(page).card("Sandbox")).to_contain_text("ada@practice.example")
