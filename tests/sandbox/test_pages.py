"""The pages in a real browser: by keyboard, on a phone, under their own policy."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from doorkey.sandbox.server import Running, start
from tests.sandbox.visitor import PLAN, challenge

pytestmark = pytest.mark.browser


class Callback(BaseHTTPRequestHandler):
    """The app that waits for the person to come back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Back in the app")

    def log_message(self, *_: object) -> None:
        """Write nothing into the test's output."""


@pytest.fixture(scope="module")
def callback() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Callback) as listener:
        threading.Thread(target=listener.serve_forever).start()
        yield f"http://127.0.0.1:{listener.server_port}/auth/callback"
        listener.shutdown()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    server = start()
    yield server
    server.stop()


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """A page on a narrow screen; it fails on what its policy blocks."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The app behind the callback has no icon; that is not about our pages.
        if not message.location["url"].endswith("/favicon.ico"):
            complaints.append(message.text)

    opened = chrome.new_page(viewport={"width": 390, "height": 800})
    opened.on("console", note)
    yield opened
    opened.close()
    assert complaints == []


def sign_in_address(running: Running, callback: str) -> str:
    query = {
        **PLAN,
        "redirect_uri": callback,
        "response_type": "code",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    return f"{running.url}/api/accounts/authorize?{urlencode(query)}"


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_person_signs_in_with_the_keyboard_alone(running: Running, callback: str, page: Page):
    page.goto(sign_in_address(running, callback))
    expect(page.get_by_role("radio", name="Ada Lovelace")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Grace Hopper")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("grace@practice.example")).to_be_visible()
    page.get_by_label("Let it use my plan").focus()
    page.keyboard.press("Enter")

    page.wait_for_url(f"{callback}?code=*")


def test_labels_and_buttons_have_their_names(running: Running, callback: str, page: Page):
    page.goto(sign_in_address(running, callback))
    page.get_by_label("Alan Turing").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Let it use my plan")).to_be_disabled()
    page.get_by_role("button", name="Deny").click()

    page.wait_for_url(f"{callback}?error=access_denied*")


def test_somebody_who_is_not_me_can_be_changed(running: Running, callback: str, page: Page):
    page.goto(sign_in_address(running, callback))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="This is not me").click()

    expect(page.get_by_role("heading", name="Practice sign-in")).to_be_visible()
    expect(page.get_by_label("Grace Hopper")).to_be_visible()


def test_every_page_fits_a_phone(running: Running, callback: str, page: Page):
    too_wide = []
    for address in (sign_in_address(running, callback), f"{running.url}/", f"{running.url}/keys"):
        page.goto(address)
        if not fits(page):
            too_wide.append(address)

    assert too_wide == []


def test_a_key_is_made_and_copied(running: Running, page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=running.url)
    page.goto(f"{running.url}/keys")
    page.get_by_role("button", name="Make a practice key").click()
    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("sandbox-key-")


def test_a_fault_is_asked_for_with_a_button(running: Running, page: Page):
    page.goto(running.url)
    page.get_by_role("button", name="Cut the stream").click()

    expect(page.get_by_text("Waiting: Cut the stream")).to_be_visible()
