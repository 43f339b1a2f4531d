"""Settings: what the cards tell, and the one dialog that signs in."""

import re
import socket
from dataclasses import replace

import pytest

from doorkey.domain.account import Origins, Standing, State
from doorkey.domain.window import Told, Window
from doorkey.errors import ProviderUnavailable
from doorkey.service.hearing import MODEL_CALL, Heard
from doorkey.service.resolve import Wish
from doorkey.testing.script import answer
from doorkey.testing.values import NOON, an_identity
from tests.web.room import CONFIG, Room, reply_to

HTMX = {"hx-request": "true"}


async def test_a_card_tells_who_is_signed_in_and_who_pays(room, browser):
    room.keep()

    page = await browser.get("/settings/providers")

    card = page.text.split('id="provider-acme"')[1].split("</section>")[0]
    for word in ("Connected", "ada@example.com", "Plus plan", "Using Acme plan", "Ready", "Disconnect"):
        assert word in card


async def test_a_card_tells_the_terms_with_their_date_and_page(browser):
    page = await browser.get("/settings/providers")

    card = page.text.split('id="provider-openai"')[1].split("</section>")[0]
    assert "Uses your ChatGPT plan in this app only." in card
    assert "read 5 October 2026" in card
    assert 'href="https://openai.com/policies/sign-in-with-chatgpt-terms"' in card


async def test_connected_providers_come_first(room, browser):
    room.keep()

    page = await browser.get("/settings/providers")

    cards = re.findall(r'id="provider-([^"]+)"', page.text)
    assert cards[0] == "acme"
    assert "openai" in cards


async def test_a_way_without_a_client_id_is_shown_only_once_the_config_names_one(tmp_path):
    seen = {}
    for name, config in (("without", ""), ("with", CONFIG)):
        (tmp_path / name).mkdir()
        room = Room(tmp_path / name, config)
        with room.house:
            page = await room.enter()
            listed = (await page.get("/api/providers")).json()["providers"]
            methods = next(each["methods"] for each in listed if each["id"] == "anthropic")
            shown = "Claude Pro or Max" in (await page.get("/settings/providers")).text
            seen[name] = shown, next(each["enabled"] for each in methods if each["id"] == "claude")

    assert seen == {"without": (False, False), "with": (True, True)}


@pytest.mark.parametrize(
    ("state", "words", "status"),
    [
        (State.SIGN_IN_NEEDED, "Sign-in needed", "Expired"),
        (State.OVER_LIMIT, "Over limit", "Expired"),
        (State.BLOCKED, "Blocked: another origin", "Expired"),
        (State.OFF, "Off", "Expired"),
        (State.CHECKING, "Checking", "Connected"),
    ],
)
async def test_each_state_reads_as_people_say_it(room, browser, state, words, status):
    account = room.keep()
    reason = "another origin" if state is State.BLOCKED else None
    room.house.vault.accounts.save_standing(replace(account, standing=Standing(state=state, reason=reason)))

    page = await browser.get("/settings/providers")

    card = page.text.split('id="provider-acme"')[1].split("</section>")[0]
    assert words in card
    assert f">{status}<" in card


async def test_an_account_that_lapsed_renews_by_itself_and_is_not_red(room, browser):
    now = room.services.clock.now()
    room.keep(expires_at=now.replace(year=2020))

    page = await browser.get("/settings/providers")

    assert '<span class="state calm">Lapsed, renews by itself' in page.text


async def test_an_account_that_is_signed_out_can_be_reconnected_with_its_identity(room, browser):
    account = room.keep()
    room.house.vault.accounts.save_standing(replace(account, standing=Standing(state=State.SIGN_IN_NEEDED)))

    page = await browser.get("/settings/providers")

    assert "Reconnect" in page.text
    assert account.id in page.text
    assert "ada@example.com" in page.text


async def test_the_page_itself_gets_only_its_part(browser):
    part = await browser.get("/settings/providers", headers=HTMX)

    assert part.text.lstrip().startswith('<div class="page" id="providers"')
    assert "<html" not in part.text


async def test_a_mistake_in_the_config_is_told(tmp_path):
    room = Room(tmp_path, CONFIG + '[providers.acme.methods.api-key.api]\ndialect = "klingon"\n')
    with room.house:
        page = await (await room.enter()).get("/settings/providers")

    assert "providers.acme.methods.api-key.api.dialect" in page.text


async def test_connect_shows_link_waiting_and_paste_at_once(browser):
    dialog = await browser.post("/connect/acme", json={}, headers=HTMX)

    assert 'href="https://issuer.example/authorize?' in dialog.text
    assert "Waiting for you in the browser" in dialog.text
    assert "Paste the address you landed on" in dialog.text


async def test_the_dialog_says_what_it_is_for(room, browser):
    first = await browser.post("/connect/acme", json={}, headers=HTMX)
    account = room.keep()
    another = await browser.post("/connect/acme", json={}, headers=HTMX)
    again = await browser.post("/connect/acme", json={"account": account.id}, headers=HTMX)

    titles = [re.search(r'id="dialog-title">([^<]+)', dialog.text)[1].strip() for dialog in (first, another, again)]
    assert titles == ["Connect Acme", "Add an account at Acme", "Reconnect Acme"]


async def test_the_dialog_says_nothing_while_it_waits(browser):
    sign_in = await begin(browser)

    answer = await browser.get(f"/sign-ins/{sign_in['id']}", headers=HTMX)

    assert answer.status_code == 204


async def test_a_finished_sign_in_closes_the_dialog_and_renews_the_page(room, browser):
    sign_in = await begin(browser)
    room.services.sign_ins.reply(sign_in["id"], reply_to(sign_in))

    answer = await browser.get(f"/sign-ins/{sign_in['id']}", headers=HTMX)

    assert answer.headers["hx-trigger"] == "accounts-changed,dialog-done"
    assert "Signed in as" in answer.text


async def test_a_pasted_address_finishes_the_sign_in(browser):
    sign_in = await begin(browser)

    answer = await browser.post(f"/sign-ins/{sign_in['id']}/reply", json={"text": reply_to(sign_in)}, headers=HTMX)

    assert answer.status_code == 200
    assert "dialog-done" in answer.headers["hx-trigger"]


async def test_a_wrong_paste_is_told_in_place_and_the_sign_in_waits_on(browser):
    sign_in = await begin(browser)

    answer = await browser.post(f"/sign-ins/{sign_in['id']}/reply", json={"text": "http://x/?code=1"}, headers=HTMX)
    after = await browser.get(f"/sign-ins/{sign_in['id']}", headers=HTMX)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert after.status_code == 204


async def test_a_denied_sign_in_offers_to_start_again(browser):
    sign_in = await begin(browser)

    answer = await browser.post(
        f"/sign-ins/{sign_in['id']}/reply", json={"text": reply_to(sign_in, error="access_denied")}, headers=HTMX
    )

    assert answer.headers["hx-retarget"] == "#dialog-body"
    assert "was not approved" in answer.text
    assert "Start again" in answer.text


async def test_another_tab_of_the_dialog_ends_the_sign_in_before_it(room, browser):
    sign_in = await begin(browser)

    dialog = await browser.post("/connect/acme", json={"method": "api-key", "previous": sign_in["id"]}, headers=HTMX)

    assert room.services.sign_ins.find(sign_in["id"]).state == "cancelled"
    assert 'type="password"' in dialog.text
    assert 'autocomplete="off"' in dialog.text


async def test_a_busy_port_is_explained_before_the_link(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        redirect = f'redirect = "http://127.0.0.1:{taken.getsockname()[1]}/callback"'
        room = Room(tmp_path, CONFIG.replace('issuer = "https://i', f'{redirect}\nissuer = "https://i'))
        with room.house:
            dialog = await (await room.enter()).post("/connect/acme", json={}, headers=HTMX)

    assert dialog.text.index("taken by another program") < dialog.text.index("authorize?")
    assert "Waiting for you" not in dialog.text


async def test_a_forbidden_method_asks_before_anything_is_opened(room, browser):
    asked = await browser.post("/connect/anthropic", json={"method": "claude"}, headers=HTMX)
    agreed = await browser.post("/connect/anthropic", json={"method": "claude", "agree": "yes"}, headers=HTMX)

    assert "authorize?" not in asked.text
    assert 'type="checkbox"' in asked.text
    assert "Forbidden" in asked.text
    assert "https://claude.ai/oauth/authorize?" in agreed.text
    assert room.services.consents.given("method:anthropic:claude")


async def test_a_key_is_saved_from_the_dialog_and_not_shown(room, browser):
    answer = await browser.post("/connect/acme/key", json={"method": "api-key", "key": "canary"}, headers=HTMX)

    assert "dialog-done" in answer.headers["hx-trigger"]
    assert "canary" not in answer.text
    assert len(room.services.book.all()) == 1


async def test_a_wrong_key_is_told_in_place(browser):
    answer = await browser.post("/connect/acme/key", json={"method": "api-key", "key": "a b"}, headers=HTMX)

    assert answer.status_code == 422
    assert "That is not a key." in answer.text


async def test_a_refused_key_is_told_without_an_option_of_the_command_line(room, browser):
    room.endpoints.scripted.append(answer(401))
    wrong = {"method": "api-key", "key": "sk-canary-0123456789"}

    told = await browser.post("/connect/acme/key", json=wrong, headers=HTMX)

    assert "does not accept this key" in told.text
    assert "can be kept all the same" in told.text
    assert "--no-check" not in told.text
    assert 'name="no_check"' in told.text


async def test_disconnecting_asks_how_far_it_should_reach(room, browser):
    account = room.keep()

    dialog = await browser.get(f"/accounts/{account.id}/leave", headers=HTMX)

    assert "Disconnect ada@example.com?" in dialog.text
    assert 'name="revoke"' in dialog.text


async def test_a_disconnect_that_was_not_confirmed_says_so(room, browser):
    account = room.keep()
    room.endpoints.scripted.append(ProviderUnavailable("issuer.example did not answer."))

    answer = await browser.post(f"/accounts/{account.id}/leave", json={"revoke": "yes"}, headers=HTMX)

    assert "its end was not confirmed" in answer.text
    assert room.services.book.all() == []


async def test_a_theme_is_remembered(browser):
    await browser.post("/settings/appearance", json={"theme": "dark"}, headers=HTMX)

    page = await browser.get("/")

    assert '<html lang="en" data-theme="dark">' in page.text


async def test_a_theme_that_is_none_is_refused(browser):
    answer = await browser.post("/settings/appearance", json={"theme": "neon"}, headers=HTMX)

    assert answer.status_code == 400


async def test_a_browser_can_be_shut_out_from_the_page(room, browser):
    other = await room.enter()
    listed = await browser.get("/settings/browsers")
    sessions = {session.id for session in room.stores.page_sessions.all()}
    shown = set(re.findall(r"/settings/browsers/([^\"]+)", listed.text))
    for session in sessions:
        room.stores.page_sessions.revoke(session)

    answer = await other.get("/")

    assert shown == sessions
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/settings/providers", "/settings/appearance", "/settings/audit", "/settings/browsers"]
)
async def test_no_page_has_inline_scripts_or_styles(browser, path):
    page = await browser.get(path)

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:|hx-on|js:", page.text)


async def test_the_settings_search_knows_the_words_for_providers(browser):
    page = await browser.get("/settings/appearance")

    assert re.search(r'data-words="[^"]*\b(sign in)\b[^"]*"><a href="/settings/providers"', page.text)


async def begin(browser):
    """Open the dialog and read the sign-in that it began."""
    dialog = await browser.post("/connect/acme", json={}, headers=HTMX)
    sign_in = re.search(r"/sign-ins/([^/\"]+)/reply", dialog.text)[1]
    return (await browser.get(f"/api/sign-ins/{sign_in}")).json()


HALF = Window(name="5 hours", used_percent=50.0, resets_at=None, source=Told.HEADERS, as_of=NOON)


async def test_a_card_tells_how_much_is_used_and_how_old_that_is(room, browser):
    account = room.keep()
    room.stores.readings.keep(account.id, [HALF, replace(HALF, name="requests a minute", is_rate=True)])

    page = await browser.get("/settings/providers")

    card = page.text.split('id="provider-acme"')[1].split("</section>")[0]
    assert 'value="50.0"' in card
    assert "50 % used" in card
    assert "As of " in card
    assert "requests a minute" not in card


async def test_only_an_account_with_a_usage_page_makes_the_page_ask(room, browser):
    room.keep()
    claude = room.keep(
        provider="anthropic", method="claude", origins=Origins(api="https://api.anthropic.com:443"), id="acc_claude"
    )

    page = await browser.get("/settings/providers")

    assert re.findall(r'hx-get="(/accounts/[^"]+/windows)"', page.text) == [f"/accounts/{claude.id}/windows"]


async def test_the_part_that_asked_does_not_ask_again(room, browser):
    account = room.keep()
    room.stores.readings.keep(account.id, [HALF])

    answer = await browser.get(f"/accounts/{account.id}/windows", headers=HTMX)

    assert "50 % used" in answer.text
    assert "hx-get" not in answer.text


async def test_usage_is_told_as_json_too(room, browser):
    account = room.keep()
    room.stores.readings.keep(account.id, [HALF])

    answer = await browser.get("/api/usage")

    (entry,) = answer.json()["accounts"]
    assert (entry["account"], entry["windows"][0]["used_percent"]) == (account.id, 50.0)


@pytest.mark.parametrize(("used", "is_told"), [(79.0, False), (85.0, True)])
async def test_the_bar_warns_of_a_window_that_gets_tight(room, browser, used, is_told):
    account = room.keep()
    room.stores.readings.keep(account.id, [replace(HALF, used_percent=used)])

    bar = await browser.post("/bar", json={"model": "acme:m"}, headers=HTMX)

    assert (f"5 hours: {used:g} % used" in bar.text) is is_told


async def test_an_account_is_renamed_in_its_dialog(room, browser):
    account = room.keep(name="work")

    asked = await browser.get(f"/accounts/{account.id}/name", headers=HTMX)
    answer = await browser.post(f"/accounts/{account.id}/name", json={"name": " private "}, headers=HTMX)

    assert 'value="work"' in asked.text
    assert answer.headers["hx-trigger"] == "accounts-changed,dialog-done"
    assert room.services.book.find(account.id).name == "private"


async def test_a_name_that_cannot_be_is_told_in_the_dialog(room, browser):
    account = room.keep(name="work")
    room.keep(id="acc_other", name="taken", identity=an_identity(subject="other"))

    answer = await browser.post(f"/accounts/{account.id}/name", json={"name": "taken"}, headers=HTMX)

    assert "is called taken" in answer.text
    assert room.services.book.find(account.id).name == "work"


async def test_a_program_renames_an_account(room, browser):
    account = room.keep(name="work")

    answer = await browser.post(f"/api/accounts/{account.id}/name", json={"name": "private"})

    assert answer.json()["name"] == "private"


async def test_what_an_answer_has_just_told_is_on_the_page_at_once(room, browser):
    account = room.keep(standing=Standing(state=State.OVER_LIMIT, reason="Used up."))
    choice = room.services.resolver.choose(Wish(provider="acme", folder=None))
    told = answer(200, {}, x_codex_primary_used_percent="85")
    room.house.ears.hear(Heard.of(choice, MODEL_CALL, told, room.services.clock.now()))

    bar = await browser.post("/bar", json={"model": "acme:m"}, headers=HTMX)

    assert "primary: 85 % used" in bar.text
    assert "Over limit" not in bar.text
    assert room.services.listing.state(room.services.book.find(account.id)) is State.READY
