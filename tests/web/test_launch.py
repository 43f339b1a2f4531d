"""The way in works once, and leaves a cookie that no script and no other site can use."""

from datetime import timedelta


async def test_a_launch_token_becomes_a_cookie(room):
    token, _ = room.gate.mint()

    answer = await room.browser().get(f"/launch?token={token.reveal()}")

    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("doorkey=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "max-age=2592000" in cookie


async def test_a_launch_token_works_once(room):
    token, _ = room.gate.mint()
    await room.browser().get(f"/launch?token={token.reveal()}")

    again = await room.browser().get(f"/launch?token={token.reveal()}")

    assert again.status_code == 403
    assert "set-cookie" not in again.headers
    assert "used already" in again.text


async def test_a_launch_token_is_soon_too_old(room):
    token, _ = room.gate.mint()
    room.clock.time += timedelta(hours=1)

    answer = await room.browser().get(f"/launch?token={token.reveal()}")

    assert answer.status_code == 403


async def test_a_launch_without_a_token_is_refused(room):
    answer = await room.browser().get("/launch")

    assert answer.status_code == 403


async def test_the_redirect_file_of_the_terminal_may_navigate_here(room):
    token, _ = room.gate.mint()
    from_a_file = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

    answer = await room.browser().get(f"/launch?token={token.reveal()}", headers=from_a_file)

    assert answer.status_code == 200


async def test_another_page_cannot_fetch_the_launch_page(room):
    token, _ = room.gate.mint()
    fetched = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}

    answer = await room.browser().get(f"/launch?token={token.reveal()}", headers=fetched)

    assert answer.status_code == 403


async def test_the_key_is_in_no_answer(room):
    token, key = room.gate.mint()

    answer = await room.browser().get(f"/launch?token={token.reveal()}")

    assert key.reveal() not in answer.text + str(answer.headers)
    assert token.reveal() not in answer.text


async def test_the_session_is_listed_by_its_browser(room):
    token, _ = room.gate.mint()

    await room.browser(**{"user-agent": "Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0"}).get(
        f"/launch?token={token.reveal()}"
    )

    assert [session.label for session in room.stores.page_sessions.all()] == ["Firefox"]
