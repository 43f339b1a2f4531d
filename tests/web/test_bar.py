"""The bar beside the message: who will serve and pay, in which folder, and the models to choose from."""

import json
from dataclasses import replace
from datetime import timedelta

from doorkey.domain.conversation import EventKind
from doorkey.errors import ProviderUnavailable, UnknownName
from doorkey.service.resolve import Wish
from doorkey.service.rules import Rule
from doorkey.testing.values import an_identity

HTMX = {"hx-request": "true"}


async def test_the_bar_says_who_will_serve_and_pay(room, browser):
    room.keep()

    answer = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "ada@example.com: Using Acme plan" in " ".join(answer.text.split())


async def test_the_bar_warns_of_an_account_that_is_signed_out(room, browser):
    account = room.keep()
    room.house.vault.accounts.save_standing(
        replace(account, standing=replace(account.standing, state="sign_in_needed"))
    )

    answer = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "Sign-in needed" in answer.text
    assert "Reconnect" in answer.text


async def test_a_key_from_an_env_file_waits_for_a_confirmation(room, browser):
    room.found("ACME_API_KEY", "canary")
    before = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)
    name = before.text.split("hx-vals='")[1].split("'")[0]
    await browser.post("/consents", json=json.loads(name))

    after = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)

    assert "Confirm" in before.text
    assert "ACME_API_KEY from .env" in after.text
    assert "metered" in after.text


async def test_a_model_of_another_provider_drops_the_pinned_account(room, browser):
    account = room.keep()
    run = room.chat(account=account.id)

    await browser.post("/bar", json={"chat": run.conversation, "model": "openai:large", "account": account.id})

    chat = room.stores.conversations.load(run.conversation)
    assert (chat.model, chat.account) == ("openai:large", None)


async def test_a_folder_is_checked_kept_and_remembered(room, browser):
    run = room.chat()
    choice = {"chat": run.conversation, "model": "acme:small", "folder": "/projects/one/"}

    await browser.post("/bar", json=choice, headers=HTMX)

    assert room.stores.conversations.load(run.conversation).folder == "/projects/one"
    assert "/projects/one" in (await browser.get("/")).text


async def test_a_folder_that_stays_closed_is_not_kept(room, browser):
    run = room.chat()

    answer = await browser.post("/bar", json={"chat": run.conversation, "folder": "/etc"}, headers=HTMX)

    assert answer.status_code == 422
    assert "That folder stays closed." in answer.text
    assert room.stores.conversations.load(run.conversation).folder is None


async def test_the_picker_offers_connected_providers_and_locks_the_others(room, browser):
    room.keep()

    answer = await browser.get("/picker", headers=HTMX)

    able, locked = answer.text.split('class="group locked"', 1)
    assert 'hx-get="/picker/acme"' in able
    assert 'hx-post="/connect/openai"' in locked
    assert "Acme" not in locked


async def test_the_picker_lists_the_models_of_an_account(room, browser):
    room.keep()
    room.list_models("small", "large")

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert answer.text.index("small") < answer.text.index("large")
    assert "acme:large" in answer.text


async def test_a_provider_that_nobody_is_signed_in_to_says_so_in_the_picker(browser):
    answer = await browser.get("/picker/openai", headers=HTMX)

    assert answer.status_code == 200
    assert "No account at OpenAI" in answer.text


async def test_a_model_that_was_refused_says_so_and_stays_to_be_chosen(room, browser):
    room.keep()
    room.list_models("small", "large")
    choice = room.services.resolver.choose(Wish(provider="acme"))
    room.services.models.explain(choice, "large", UnknownName("It is not served."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert "Refused last time: it is not in your Plus plan." in answer.text
    assert "acme:large" in answer.text


async def test_an_old_list_tells_its_age(room, browser):
    account = room.keep()
    read_at = (room.services.clock.now() - timedelta(hours=3)).isoformat()
    kept = {"names": ["small"], "read_at": read_at, "refused": {"huge": "is switched off"}, "met": {}}
    room.stores.preferences.set(f"models:{account.id}", json.dumps(kept))
    room.endpoints.scripted.append(ProviderUnavailable("api.example did not answer."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert "api.example did not answer. This list was read 3 hours ago." in answer.text
    assert "huge is switched off." in answer.text
    assert "acme:huge" not in answer.text


async def test_the_nearest_model_is_offered_and_not_taken(room, browser):
    run = room.chat()
    gone = {"error": "model_refused", "message": "smal is not there.", "hint": "Choose.", "nearest": "acme:small"}
    room.engine.tell(run, EventKind.STATE, state="failed", **gone)

    page = await browser.get(f"/chats/{run.conversation}")

    assert "Use acme:small</button>" in page.text
    assert run.prompt in page.text


async def test_a_provider_that_does_not_answer_says_so_in_its_group(room, browser):
    room.keep()
    room.endpoints.scripted.append(ProviderUnavailable("api.example did not answer."))

    answer = await browser.get("/picker/acme", headers=HTMX)

    assert answer.status_code == 200
    assert "api.example did not answer." in answer.text


async def test_a_new_chat_begins_with_the_first_model_that_there_is(room, browser):
    room.keep()
    room.list_models("small", "large")
    page = await browser.get("/")

    answer = await browser.post("/bar/now", json={"model": ""}, headers=HTMX)

    assert 'hx-post="/bar/now" hx-trigger="load"' in page.text
    assert 'value="acme:small"' in answer.text
    assert 'hx-trigger="load"' not in answer.text


async def test_the_bar_follows_the_rule_of_the_chat_s_folder(room, browser):
    room.keep()
    work = room.keep(id="acc_work", name="work", identity=an_identity(subject="another"))
    room.services.book.rules.set(Rule(provider="acme", folder="/projects/site", account=work.id))

    elsewhere = await browser.post("/bar", json={"model": "acme:small"}, headers=HTMX)
    inside = await browser.post("/bar", json={"model": "acme:small", "folder": "/projects/site/src"}, headers=HTMX)

    assert "ada@example.com: Using Acme plan" in elsewhere.text
    assert "work: Using Acme plan" in inside.text


async def test_the_bar_says_that_another_account_may_not_serve_in_a_folder(room, browser):
    work = room.keep(name="work")
    other = room.keep(id="acc_other", name="private", identity=an_identity(subject="another"))
    room.services.book.rules.set(Rule(provider="acme", folder="/projects/site", account=work.id, only=True))
    chosen = {"model": "acme:small", "folder": "/projects/site", "account": other.id}

    bar = await browser.post("/bar", json=chosen, headers=HTMX)

    assert "In /projects/site only work may serve acme." in bar.text
