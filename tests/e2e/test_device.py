"""Signing in from the page with a code that is typed in another browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import Consent, Providers

DEVICE_ONLY = """
[providers.acme]
name = "Acme"
[providers.acme.api]
base_url = "{url}/v1"
dialect = "openai-chat"
[providers.acme.methods.device]
client_id = "doorkey"
device_url = "{url}/device_authorization"
token_url = "{url}/token"
issuer = "{url}"
jwks_url = "{url}/jwks.json"
scopes = ["openid", "profile", "email", "offline_access", "models"]
"""


def ask_for_code(page, provider="Sandbox"):
    dialog = Providers(page).open().connect(provider)
    dialog.box.get_by_role("button", name="Use a code on another device").click()
    expect(code_in(dialog)).to_be_visible()
    return dialog


def code_in(dialog):
    return dialog.box.get_by_label("The code to type")


def type_code(window, practice, code):
    """Type a code in a browser of its own, and return the page that asks whether to allow."""
    page = window().new_page()
    page.goto(f"{practice.url}/device")
    page.get_by_role("textbox").fill(code)
    page.get_by_role("button").click()
    return Consent(page)


def test_a_code_that_is_allowed_elsewhere_closes_the_dialog_and_fills_the_card(page, window, practice):
    dialog = ask_for_code(page)

    type_code(window, practice, code_in(dialog).inner_text()).allow()

    expect(dialog.box).to_be_hidden()
    expect(Providers(page).card("Sandbox")).to_contain_text("ada@practice.example")


def test_the_dialog_shows_code_page_time_and_warning(page, practice):
    dialog = ask_for_code(page)

    expect(code_in(dialog)).to_have_text(re.compile(r"[A-Z]{4}-[A-Z]{4}"))
    expect(dialog.box.get_by_label("The address of the page")).to_have_value(f"{practice.url}/device")
    expect(dialog.box.get_by_role("link", name="Open the page")).to_have_attribute("href", re.compile("user_code="))
    expect(dialog.box.get_by_role("timer")).to_have_text(re.compile(r"9:\d\d"))
    expect(dialog.box.get_by_text("Never type a code that somebody sent you")).to_be_visible()


def test_the_page_that_the_dialog_opens_has_the_code_filled_in(page):
    dialog = ask_for_code(page)

    with page.expect_popup() as opened:
        dialog.box.get_by_role("link", name="Open the page").click()

    expect(opened.value.get_by_role("textbox")).to_have_value(code_in(dialog).inner_text())


def test_a_code_can_be_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog = ask_for_code(page)

    dialog.box.get_by_role("button", name="Copy").first.click()

    expect(dialog.box.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code_in(dialog).inner_text()


def test_a_denied_code_is_told_and_another_can_be_asked_for(page, window, practice):
    dialog = ask_for_code(page)
    first = code_in(dialog).inner_text()

    type_code(window, practice, first).deny()

    expect(dialog.problem).to_contain_text("not approved")
    dialog.box.get_by_role("button", name="Start again").click()
    expect(code_in(dialog)).not_to_have_text(first)


def test_there_is_a_way_back_to_this_browser(page):
    dialog = ask_for_code(page)

    dialog.box.get_by_role("button", name="Use this browser instead").click()

    dialog.follow().allow()
    expect(dialog.box).to_be_hidden()


def test_a_cancelled_code_is_not_asked_about_any_more(page, practice):
    dialog = ask_for_code(page)

    dialog.cancel()

    page.wait_for_timeout(1500)
    asked = practice.sandbox.log.count(endpoint="/token")
    page.wait_for_timeout(2500)
    assert practice.sandbox.log.count(endpoint="/token") == asked


@pytest.fixture
def device_only(app, practice):
    app.configure(DEVICE_ONLY.format(url=practice.url))


def test_a_method_with_a_code_alone_shows_it_at_once(device_only, page, window, practice):
    providers = Providers(page).open()
    dialog = providers.connect("Acme")

    expect(dialog.box.get_by_role("button", name="Use this browser instead")).to_have_count(0)
    type_code(window, practice, code_in(dialog).inner_text()).allow()

    expect(providers.card("Acme")).to_contain_text("ada@practice.example")
