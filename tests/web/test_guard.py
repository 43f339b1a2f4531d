"""Only the person's own page comes in: each test takes one proof away."""

import pytest

from doorkey.web.app import ROUTES
from doorkey.web.guard import LARGEST_BODY, LAUNCH
from tests.web.room import ORIGIN, PORT

CHANGE = ("POST", "/api/consents")
BODY = {"name": "env-file:/x"}


@pytest.mark.parametrize(
    "host",
    [
        f"localhost:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1:{PORT}.rebound.example",
        f"rebound.example:{PORT}",
        f"[::1]:{PORT}",
    ],
)
async def test_another_host_name_is_refused_even_for_a_page(browser, host):
    answer = await browser.get("/", headers={"host": host})

    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", f"http://localhost:{PORT}", "null"])
async def test_a_foreign_origin_is_refused(browser, origin):
    answer = await browser.request(*CHANGE, json=BODY, headers={"origin": origin})

    assert answer.status_code == 403
    assert answer.json()["error"] == "request_refused"


async def test_a_program_that_is_no_browser_needs_no_origin_but_the_key(browser):
    del browser.headers["origin"]

    with_key = await browser.request(*CHANGE, json=BODY)
    del browser.headers["x-doorkey-key"]
    without = await browser.request(*CHANGE, json=BODY)

    assert (with_key.is_success, without.status_code) == (True, 403)


async def test_a_foreign_origin_may_not_even_read(browser):
    answer = await browser.get("/api/providers", headers={"origin": "http://127.0.0.1:1"})

    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
async def test_a_request_from_another_site_is_refused(browser, site):
    answer = await browser.get("/api/providers", headers={"sec-fetch-site": site})

    assert answer.status_code == 403


async def test_a_typed_address_opens_a_page(browser):
    answer = await browser.get("/", headers={"sec-fetch-site": "none", "sec-fetch-mode": "navigate"})

    assert answer.status_code == 200


async def test_only_a_navigation_may_come_from_nowhere(browser):
    answer = await browser.get("/", headers={"sec-fetch-site": "none", "sec-fetch-mode": "cors"})

    assert answer.status_code == 403


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_json_under_another_name_is_refused(browser, media_type):
    answer = await browser.request(*CHANGE, content=b'{"name": "x"}', headers={"content-type": media_type})

    assert answer.status_code == 415
    assert answer.json()["error"] == "request_refused"


async def test_a_large_body_is_refused(browser):
    answer = await browser.request(*CHANGE, json={"name": "x" * LARGEST_BODY})

    assert answer.status_code == 413


async def test_a_large_body_of_untold_length_is_refused(browser):
    async def endless():
        for _ in range(LARGEST_BODY // 1024 + 2):
            yield b" " * 1024

    answer = await browser.request(*CHANGE, content=endless(), headers={"content-type": "application/json"})

    assert answer.status_code == 413


async def test_a_body_that_is_no_object_is_refused(browser):
    answer = await browser.request(*CHANGE, json=["name"])

    assert answer.status_code == 400


async def every_route(browser):
    """Ask for all that there is but the launch page, which makes the session; return the status of each."""
    return {
        (method, path): (await browser.request(method, path.format(id="a", provider="openai"))).status_code
        for method, path, _ in ROUTES
        if path != LAUNCH
    }


async def test_no_route_answers_without_a_session(browser):
    browser.cookies.clear()

    assert set((await every_route(browser)).values()) == {403}


async def test_no_route_answers_another_page_of_this_computer(browser):
    browser.headers["origin"] = "http://127.0.0.1:1"

    assert set((await every_route(browser)).values()) == {403}


async def test_no_route_changes_anything_without_the_key(browser):
    del browser.headers["x-doorkey-key"]

    answered = await every_route(browser)

    assert {status for (method, _), status in answered.items() if method != "GET"} == {403}
    assert len(answered) > 40


@pytest.mark.parametrize(("method", "path"), [CHANGE, ("DELETE", "/api/accounts/a"), ("POST", "/chats")])
async def test_a_change_without_the_key_is_refused(room, browser, method, path):
    del browser.headers["x-doorkey-key"]

    answer = await browser.request(method, path, json=BODY)

    assert answer.status_code == 403
    assert not room.services.consents.given(BODY["name"])


async def test_a_stream_without_the_key_is_refused(room, browser):
    run = room.chat()
    del browser.headers["x-doorkey-key"]

    answer = await browser.get(f"/runs/{run.id}/stream")

    assert answer.status_code == 403


async def test_the_key_of_another_session_is_refused(room, browser):
    other = await room.enter()

    answer = await browser.request(*CHANGE, json=BODY, headers={"x-doorkey-key": other.headers["x-doorkey-key"]})

    assert answer.status_code == 403


async def test_the_key_alone_opens_nothing(room, browser):
    stranger = room.browser(**{name: browser.headers[name] for name in ("origin", "x-doorkey-key")})

    answer = await stranger.request(*CHANGE, json=BODY)

    assert answer.status_code == 403


async def test_a_page_without_a_session_says_how_to_open_it(room):
    answer = await room.browser().get("/settings/providers")

    assert answer.status_code == 403
    assert "doorkey open" in answer.text
    assert "Acme" not in answer.text


async def test_the_interface_without_a_session_says_so_in_json(room):
    answer = await room.browser().get("/api/providers")

    assert answer.status_code == 403
    assert answer.json() == {
        "error": "request_refused",
        "message": "This browser has no session, or this tab has no key.",
        "hint": "Open the page with `doorkey open`.",
    }


async def test_a_revoked_browser_is_out_at_once(room, browser):
    room.stores.page_sessions.revoke(room.stores.page_sessions.all()[0].id)

    answer = await browser.get("/")

    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/providers", "/static/app.js", "/nowhere"])
async def test_every_answer_has_the_safe_headers(browser, path):
    answer = await browser.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_even_the_answer_to_a_mistake_of_ours_has_the_safe_headers(room):
    entered = await room.enter(raise_app_exceptions=False)

    answer = await entered.post("/runs/nothing/stop", json={})

    assert answer.status_code == 500
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/api/providers", "/nowhere"])
async def test_nothing_of_the_person_is_kept_in_a_cache(browser, path):
    answer = await browser.get(path)

    assert answer.headers["cache-control"] == "no-store"


async def test_asking_first_as_another_page_gets_no_permission(room):
    answer = await room.browser().request(
        "OPTIONS", "/api/consents", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
    )

    assert answer.status_code == 403


async def test_our_own_page_is_not_refused(room, browser):
    answer = await browser.request(*CHANGE, json=BODY)

    assert answer.status_code == 204
    assert browser.headers["origin"] == ORIGIN
    assert room.services.consents.given(BODY["name"])
