"""What another page in the same browser, and a tab without a key, can do to the app: nothing."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import Chat

ATTACK = """
async (app) => {
  const dark = '{"theme": "dark"}';
  const json = { "Content-Type": "application/json" };
  const attempts = [
    [`${app}/api/accounts`, { credentials: "include" }],
    [`${app}/settings/providers`, { credentials: "include" }],
    [`${app}/api/consents`, { method: "POST", credentials: "include", headers: json, body: '{"name": "x"}' }],
    [`${app}/settings/appearance`, { method: "POST", credentials: "include", body: dark }],
    [`${app}/settings/appearance`, { method: "POST", credentials: "include", body: dark, mode: "no-cors" }],
  ];
  const read = [];
  for (const [address, options] of attempts) {
    try { read.push(await (await fetch(address, options)).text()); } catch (refusal) { read.push(null); }
  }
  return read;
}
"""


class Hostile(BaseHTTPRequestHandler):
    """A page on another port of this machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Elsewhere</title><link rel=icon href='data:,'><p>Nothing to see.")

    def log_message(self, *_: object) -> None:
        """Write nothing into the test's output."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as listener:
        threading.Thread(target=listener.serve_forever).start()
        yield f"http://127.0.0.1:{listener.server_port}/"
        listener.shutdown()


@pytest.fixture
def hostile(page, elsewhere, complaints):
    """A tab of the same browser, whose cookies go to every port, on somebody else's page."""
    for refusal in (
        "status of 403",
        "CORS policy",
        "net::ERR_FAILED",
        "net::ERR_BLOCKED_BY_RESPONSE",
        "frame-ancestors",
    ):
        complaints.expect(refusal)
    tab = page.context.new_page()
    tab.goto(elsewhere)
    return tab


def test_requests_of_another_page_read_and_change_nothing(hostile, page, app):
    seen = hostile.evaluate(ATTACK, app.url)

    assert seen == [None] * 5
    page.goto(f"{app.url}/settings/appearance")
    expect(page.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "true")


def test_a_form_of_another_page_is_refused(hostile, page, app):
    hostile.evaluate(
        """(app) => {
          const form = document.createElement("form");
          Object.assign(form, { method: "post", enctype: "text/plain", action: `${app}/settings/appearance` });
          const field = document.createElement("input");
          Object.assign(field, { name: '{"theme": "dark", "x": "', value: '"}' });
          form.append(field);
          document.body.append(form);
          form.submit();
        }""",
        app.url,
    )

    expect(hostile.get_by_text("Another page asked for this.")).to_be_visible()
    page.goto(f"{app.url}/settings/appearance")
    expect(page.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("path", ["/", "/settings/providers", "/launch"])
def test_the_app_is_shown_in_no_frame(hostile, app, path, complaints):
    with hostile.expect_event("framenavigated"):
        hostile.evaluate(
            """(address) => {
              const frame = document.createElement("iframe");
              frame.src = address;
              document.body.append(frame);
            }""",
            app.url + path,
        )

    shown = hostile.frames[-1]
    shown.wait_for_load_state()
    assert "Doorkey" not in shown.content()
    assert [line for line in complaints.lines if "frame-ancestors 'none'" in line]


def test_the_one_time_address_works_once(page, app, window, complaints):
    complaints.expect("status of 403")
    address = app.launch_url()
    first, second = window().new_page(), window().new_page()
    first.goto(address)
    expect(Chat(first).message).to_be_visible()

    second.goto(address)

    expect(second.get_by_text("This link was used already")).to_be_visible()
    second.goto(app.url)
    expect(Chat(second).message).to_have_count(0)


def test_a_tab_without_the_key_can_look_and_change_nothing(page, app, complaints):
    complaints.expect("status of 403")
    page.evaluate("sessionStorage.clear()")
    page.goto(f"{app.url}/settings/appearance")

    page.get_by_role("button", name="Dark").click()

    expect(page.get_by_text("This tab has no key, so it can only look.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "true")


def test_a_new_tab_is_given_the_key_by_the_one_that_has_it(page, app):
    second = page.context.new_page()
    second.goto(f"{app.url}/settings/appearance")

    second.get_by_role("button", name="Dark").click()

    expect(second.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_nothing_that_the_browser_can_read_holds_the_token(signed_in):
    token = subprocess.check_output([sys.executable, "-m", "doorkey", "token", "sandbox"], text=True).strip()
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("Hello!")
    chat.hear("I am the practice model")
    places = [signed_in.url, "/settings/providers", "/picker/sandbox", "/api/providers", "/api/accounts"]

    read = [signed_in.evaluate("async place => (await fetch(place)).text()", place) for place in places]
    kept = signed_in.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")

    assert all("ada@practice.example" in text or "practice-small" in text for text in read)
    assert not any(token in text for text in [*read, kept])
