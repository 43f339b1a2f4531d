"""A vault that opens with a passphrase: whatever page is wanted asks for it first, and nothing else leaks."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from doorkey.bootstrap import open_house
from doorkey.domain.secret import Secret
from tests.web.room import Room

PASSPHRASE = "correct horse battery staple"
CHOSEN = SimpleNamespace(ask=lambda: Secret(PASSPHRASE), choose=lambda: Secret(PASSPHRASE))


@pytest.fixture
def room(tmp_path):
    """Furnish a room whose vault got a passphrase before the app was started."""
    with open_house(environ={"DOORKEY_HOME": str(tmp_path)}, here=tmp_path, passphrases=CHOSEN) as house:
        house.vault_keys.use("passphrase")
    furnished = Room(tmp_path)
    with furnished.house:
        yield furnished


async def try_it(browser, passphrase, path="/unlock", **headers):
    return await browser.post(path, json={"passphrase": passphrase}, headers=headers)


@pytest.mark.parametrize("path", ["/", "/chats/nothing", "/settings/providers", "/settings/audit"])
async def test_every_page_asks_for_it_first(room, browser, path):
    room.chat(title="A chat of mine")

    answer = await browser.get(path)

    assert answer.status_code == 200
    assert 'name="passphrase"' in answer.text
    assert "A chat of mine" not in answer.text


async def test_a_part_of_a_page_lets_the_page_ask(browser):
    answer = await browser.get("/picker", headers={"hx-request": "true"})

    assert answer.headers["hx-refresh"] == "true"
    assert answer.text == ""


async def test_the_right_one_opens_the_page_that_was_wanted(room, browser):
    run = room.chat(title="A chat of mine")

    answer = await try_it(browser, PASSPHRASE)

    assert (answer.status_code, answer.headers["hx-refresh"], answer.text) == (204, "true", "")
    assert "A chat of mine" in (await browser.get(f"/chats/{run.conversation}")).text
    assert room.opened == [True]


async def test_a_wrong_one_is_refused_in_place_and_not_repeated(room, browser):
    answer = await try_it(browser, "canary-wrong-passphrase", **{"hx-request": "true"})

    assert answer.status_code == 422
    assert "That is not the passphrase of this vault." in answer.text
    assert 'data-wait="1"' in answer.text
    assert "canary" not in answer.text + str(answer.headers)
    assert room.opened == []


async def test_what_comes_too_early_after_a_wrong_one_is_told_to_wait(browser):
    await try_it(browser, "wrong")

    answer = await try_it(browser, PASSPHRASE)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert 'name="passphrase"' in (await browser.get("/")).text


async def test_spaces_around_it_belong_to_it(browser):
    answer = await try_it(browser, f" {PASSPHRASE} ")

    assert answer.status_code == 422


@pytest.mark.parametrize("body", [{}, {"passphrase": ""}, {"passphrase": 7}])
async def test_none_at_all_is_no_try(room, browser, body):
    answer = await browser.post("/unlock", json=body)

    assert answer.status_code == 400
    assert room.desk.lock.wait == timedelta(0)


async def test_a_program_opens_it_too(room, browser):
    refused = await try_it(browser, "wrong", "/api/unlock")
    room.house.clock.now = lambda: room.clock.now() + timedelta(days=900)
    opened = await try_it(browser, PASSPHRASE, "/api/unlock")

    assert (refused.status_code, refused.json()["error"]) == (422, "key_unreadable")
    assert refused.headers["retry-after"] == "1"
    assert opened.status_code == 204


async def test_a_program_reads_that_the_key_is_missing(room, browser):
    answer = await browser.get("/api/accounts")

    assert answer.json() == {"accounts": []}


@pytest.mark.parametrize("path", ["/unlock", "/api/unlock"])
@pytest.mark.parametrize("missing", ["cookie", "key", "origin"])
async def test_it_is_behind_the_same_guard(room, browser, path, missing):
    if missing == "cookie":
        browser.cookies.clear()
    elif missing == "key":
        del browser.headers["x-doorkey-key"]
    else:
        browser.headers["origin"] = "https://evil.example"

    answer = await try_it(browser, PASSPHRASE, path)

    assert answer.status_code == 403
    assert room.opened == []


async def test_the_way_in_needs_no_passphrase(room):
    token, _ = room.gate.mint()

    answer = await room.browser().get(f"/launch?token={token.reveal()}")

    assert "Opening" in answer.text


async def test_where_the_key_is_gone_every_page_says_so_and_asks_for_nothing(tmp_path):
    room = Room(tmp_path)
    with room.house:
        room.keep()
        (tmp_path / "doorkey.key").unlink()
        browser = await room.enter()

        answers = [await browser.get(path) for path in ("/", "/settings/providers")]
        tried = await try_it(browser, PASSPHRASE, "/api/unlock")

        for answer in answers:
            assert "The master key of this vault (file) is missing." in answer.text
            assert 'name="passphrase"' not in answer.text
        assert tried.status_code == 422
        assert "missing" in tried.json()["message"]
        await browser.aclose()


async def test_a_vault_that_opens_says_nothing_of_its_key(tmp_path):
    room = Room(tmp_path)
    with room.house:
        browser = await room.enter()

        answer = await browser.get("/")

        assert "master key" not in answer.text
        await browser.aclose()
