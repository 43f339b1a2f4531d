"""Codes on another device, for programs and in the dialog: what a start answers, and how it ends."""

import anyio
import pytest

from doorkey.testing.script import ISSUER, answer
from tests.web.room import CONFIG, Room

PATIENCE = 20.0  # How long a test waits for what must happen, before it fails.
GIVEN = {
    "device_code": "canary-device-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": f"{ISSUER}/device",
    "verification_uri_complete": f"{ISSUER}/device?user_code=BCDF-GHJK",
    "expires_in": 600,
    "interval": 1,
}
ALLOWED = {"access_token": "canary-token", "refresh_token": "canary-refresh", "expires_in": 3600}
DEVICE = (
    CONFIG
    + """
[providers.code]
name = "Code"
[providers.code.api]
base_url = "https://api.example/v1"
dialect = "openai-chat"
[providers.code.methods.device]
client_id = "client-1"
device_url = "https://issuer.example/device_authorization"
token_url = "https://issuer.example/token"
[providers.code.methods.oauth]
client_id = "client-1"
device_url = "https://issuer.example/device_authorization"
token_url = "https://issuer.example/token"
authorize_url = "https://issuer.example/authorize"
"""
)


@pytest.fixture
def room(tmp_path):
    furnished = Room(tmp_path, DEVICE)
    furnished.endpoints.scripted = [answer(200, GIVEN)]
    with furnished.house:
        yield furnished


async def start(browser, method="oauth", **body):
    return await browser.post("/api/sign-ins", json={"provider": "code", "method": method} | body)


async def test_a_program_is_told_what_to_show_and_nothing_secret(browser):
    started = await start(browser, device=True)

    begun = started.json()
    assert started.status_code == 201
    assert (begun["user_code"], begun["verification_uri"]) == ("BCDF-GHJK", f"{ISSUER}/device")
    assert (begun["url"], begun["redirect"]) == (GIVEN["verification_uri_complete"], None)
    assert (begun["state"], begun["listening"]) == ("waiting", False)
    assert "canary" not in started.text


async def test_a_method_with_a_code_alone_needs_no_asking_for(browser):
    assert (await start(browser, "device")).json()["user_code"] == "BCDF-GHJK"


async def test_without_asking_the_browsers_way_is_taken(browser):
    begun = (await start(browser)).json()

    assert "user_code" not in begun
    assert begun["redirect"].startswith("http://127.0.0.1:")


async def test_a_program_that_looks_sees_the_end(room, browser):
    room.endpoints.scripted += [answer(400, {"error": "authorization_pending"}), answer(200, ALLOWED)]
    begun = (await start(browser, device=True)).json()

    over = room.services.sign_ins.find(begun["id"]).over
    assert await anyio.to_thread.run_sync(over.wait, PATIENCE)

    shown = (await browser.get(f"/api/sign-ins/{begun['id']}")).json()
    assert shown["state"] == "signed_in"
    assert shown["account"]["provider"] == "code"
    assert "canary" not in str(shown)


async def test_a_cancelled_one_has_failed(browser):
    begun = (await start(browser, device=True)).json()

    cancelled = await browser.delete(f"/api/sign-ins/{begun['id']}")

    assert cancelled.status_code == 204
    assert (await browser.get(f"/api/sign-ins/{begun['id']}")).json()["state"] == "failed"


async def test_a_method_without_a_code_says_so(browser):
    refused = await browser.post("/api/sign-ins", json={"provider": "acme", "method": "oauth", "device": True})

    assert refused.status_code == 422
    assert "--paste" in refused.json()["hint"]


async def test_the_dialog_offers_the_code_where_there_is_one(browser):
    with_code = await browser.post("/connect/code", json={"method": "oauth"})
    without = await browser.post("/connect/acme", json={"method": "oauth"})

    assert "Use a code on another device" in with_code.text
    assert "Use a code on another device" not in without.text


async def test_the_dialog_shows_code_page_and_warning(browser):
    shown = await browser.post("/connect/code", json={"method": "oauth", "device": "yes"})

    assert "BCDF-GHJK" in shown.text
    assert f'href="{ISSUER}/device?user_code=BCDF-GHJK"' in shown.text
    assert "Never type a code that somebody sent you" in shown.text
    assert "Use this browser instead" in shown.text
    assert "canary" not in shown.text


async def test_what_a_server_gives_is_shown_as_text(room, browser):
    room.endpoints.scripted = [answer(200, GIVEN | {"user_code": "<b>BOLD</b>"})]

    shown = await browser.post("/connect/code", json={"method": "device"})

    assert "<b>BOLD" not in shown.text
    assert "&lt;b&gt;BOLD" in shown.text


async def test_a_start_that_fails_is_told_in_the_dialog(room, browser):
    room.endpoints.scripted = [answer(400, {"error": "unauthorized_client"})]

    shown = await browser.post("/connect/code", json={"method": "device"})

    assert shown.status_code == 200
    assert "does not accept this client" in shown.text


async def test_a_provider_that_waits_for_a_client_id_says_where_to_name_one(browser):
    page = await browser.get("/settings/providers")

    card = page.text.partition('id="provider-github-copilot"')[2].partition("</section>")[0]
    assert "[providers.github-copilot.methods.device]" in card
    assert "hx-post" not in card
