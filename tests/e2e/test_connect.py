"""Signing in from the page: the link, the waiting and the paste field, and every way that it can end."""

import re
import socket
import sqlite3
from contextlib import closing

from playwright.sync_api import expect

from tests.e2e.conftest import enter
from tests.e2e.pages import Consent, Providers, hold
from tests.journeys.configs import OPENROUTER


def test_a_consent_in_another_tab_closes_the_dialog_and_fills_the_card(page):
    providers = Providers(page).open()

    providers.connect("Sandbox").follow().allow()

    card = providers.card("Sandbox")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(card).to_contain_text("Connected")
    expect(card).to_contain_text("ada@practice.example")
    expect(card).to_contain_text("Plus plan")
    expect(card).to_contain_text("On this computer, free")


def test_openrouter_gives_a_key_to_whoever_the_page_sends(app, practice, window):
    app.configure(OPENROUTER.format(url=practice.url))
    page = enter(window().new_page(), app.start())
    providers = Providers(page).open()
    dialog = providers.connect("OpenRouter")
    expect(dialog.link).to_have_attribute("href", re.compile(r"/auth\?callback_url=[^&]+&code_challenge=[^&]+&[^&]+$"))

    dialog.follow().allow()

    card = providers.card("OpenRouter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(card).to_contain_text("Connected")
    expect(card).to_contain_text("Metered")
    assert practice.sandbox.log.count(action="key", outcome="ok") == 1


def test_the_dialog_offers_link_waiting_and_paste_at_once(page):
    dialog = Providers(page).open().connect("Sandbox")

    expect(dialog.link).to_have_attribute("href", re.compile(r"/authorize\?.*code_challenge_method=S256"))
    expect(dialog.box.get_by_text("Waiting for you in the browser")).to_be_visible()
    expect(dialog.paste).to_be_editable()


def test_the_settings_search_finds_the_providers(page):
    Providers(page).open()

    page.get_by_label("Search settings").fill("sign in")

    expect(page.get_by_role("link", name="AI Providers")).to_be_visible()
    expect(page.get_by_role("link", name="Appearance")).to_be_hidden()


def test_what_was_typed_before_the_script_ran_is_searched_for(page):
    Providers(page).open()
    scripts = hold(page, "**/static/app.js")
    page.reload(wait_until="commit")
    page.get_by_label("Search settings").fill("theme")
    expect(page.get_by_role("link", name="AI Providers")).to_be_visible()

    scripts[0].continue_()

    expect(page.get_by_role("link", name="AI Providers")).to_be_hidden()
    expect(page.get_by_role("link", name="Appearance")).to_be_visible()


def test_cancelling_frees_the_port(page):
    dialog = Providers(page).open().connect("Sandbox")
    port = dialog.redirect_port

    dialog.cancel()

    with socket.socket() as taking:
        taking.bind(("127.0.0.1", port))


def test_an_address_from_another_computer_can_be_pasted(page, window):
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")
    elsewhere = window().new_page()
    elsewhere.goto(dialog.link.get_attribute("href"))

    dialog.finish(Consent(elsewhere).allow_from_elsewhere())

    expect(dialog.box).to_be_hidden()
    expect(providers.card("Sandbox")).to_contain_text("ada@practice.example")


def test_a_wrong_paste_is_told_and_the_sign_in_goes_on(page, complaints):
    complaints.expect("status of 422")
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")

    dialog.finish("http://127.0.0.1/callback?code=invented&state=invented")

    expect(dialog.problem).to_be_visible()
    dialog.follow().allow()
    expect(dialog.box).to_be_hidden()
    expect(providers.card("Sandbox")).to_contain_text("Connected")


def test_a_denied_consent_is_told_and_can_be_started_again(page):
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")

    dialog.follow().deny()

    expect(dialog.problem).to_be_visible()
    dialog.box.get_by_role("button", name="Start again").click()
    dialog.follow().allow()
    expect(providers.card("Sandbox")).to_contain_text("Connected")


def test_a_provider_that_is_out_of_order_fails_the_sign_in_in_words(page, practice):
    practice.sandbox.faults.add("unavailable", times=20, endpoint="token")
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")

    dialog.follow().allow()

    expect(dialog.problem).to_be_visible()
    expect(providers.card("Sandbox")).to_contain_text("Not connected")


def test_trying_again_repeats_only_the_exchange(page, practice):
    practice.sandbox.faults.add("unavailable", times=1, endpoint="token")
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")
    dialog.follow().allow()
    expect(dialog.problem).to_contain_text("only the last step is repeated")

    dialog.box.get_by_role("button", name="Try again").click()

    expect(dialog.box).to_be_hidden()
    expect(providers.card("Sandbox")).to_contain_text("ada@practice.example")
    assert practice.sandbox.log.count(action="authorize") == 1


def test_closing_the_dialog_lets_go_of_what_trying_again_would_need(page, app, practice):
    practice.sandbox.faults.add("unavailable", times=1, endpoint="token")
    dialog = Providers(page).open().connect("Sandbox")
    dialog.follow().allow()
    expect(dialog.problem).to_contain_text("only the last step is repeated")

    with page.expect_response(lambda response: response.request.method == "DELETE") as cancelled:
        dialog.box.get_by_role("button", name="Cancel").click()

    assert cancelled.value.status == 204
    with closing(sqlite3.connect(app.home / "vault.db")) as vault:
        assert vault.execute("SELECT status, held FROM attempts").fetchall() == [("cancelled", None)]


def test_disconnecting_and_connecting_again(signed_in, practice):
    providers = Providers(signed_in).open()
    card = providers.card("Sandbox")

    card.get_by_role("button", name="Disconnect").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Disconnect").click()

    expect(card).to_contain_text("Not connected")
    assert practice.sandbox.log.count(endpoint="/revoke", outcome="ok") == 1
    providers.connect("Sandbox").follow().allow()
    expect(card).to_contain_text("ada@practice.example")


def test_a_practice_key_is_kept_and_never_shown(page, practice):
    key = practice.sandbox.make_key()
    providers = Providers(page).open()
    dialog = providers.connect("Sandbox")
    dialog.box.get_by_role("button", name="Practice key").click()

    dialog.box.get_by_label("Practice key").fill(key)
    dialog.box.get_by_role("button", name="Save the key").click()

    expect(providers.card("Sandbox")).to_contain_text("Connected")
    expect(dialog.box).to_be_hidden()
    assert key not in page.content()
    page.reload()
    assert key not in page.content()


def test_the_focus_stays_in_the_dialog_when_what_it_shows_changes(page):
    dialog = Providers(page).open().connect("Sandbox")

    dialog.follow().deny()

    expect(dialog.problem).to_be_visible()
    expect(dialog.box.get_by_role("button", name="Start again")).to_be_focused()


def test_the_focus_comes_back_to_the_button_that_opened_the_dialog(signed_in):
    rename = Providers(signed_in).open().card("Sandbox").get_by_role("button", name="Rename")
    rename.press("Enter")
    field = signed_in.get_by_label("Name", exact=True)

    field.fill("home")
    field.press("Enter")

    expect(signed_in.get_by_role("dialog")).to_be_hidden()
    expect(Providers(signed_in).card("Sandbox").get_by_role("button", name="Rename home")).to_be_focused()
