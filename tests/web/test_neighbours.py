"""Servers of this computer on the page: named when they run, quiet when they do not."""

import pytest

from tests.journeys.local_server import CONFIG, MODELS, TAGS, serve
from tests.web.room import Room

HTMX = {"hx-request": "true"}


@pytest.fixture
def ollama():
    with serve({"/api/tags": TAGS, "/v1/models": MODELS}) as server:
        yield server


@pytest.fixture
def room(tmp_path, ollama):
    furnished = Room(tmp_path, config=CONFIG.format(port=ollama.port))
    with furnished.house:
        yield furnished


def card(page, provider):
    return page.text.partition(f'id="provider-{provider}"')[2].partition("</section>")[0]


async def test_one_that_runs_comes_before_those_that_are_only_possible(browser):
    page = await browser.get("/settings/providers", headers=HTMX)

    assert "Running here" in card(page, "ollama")
    assert page.text.index("provider-ollama") < page.text.index("provider-openai") < page.text.index("provider-vllm")


async def test_one_that_does_not_run_is_only_named(browser):
    page = await browser.get("/settings/providers", headers=HTMX)

    assert "Not running" in card(page, "vllm")
    assert "No sign-in needed" not in card(page, "vllm")
    assert "No sign-in needed" in card(page, "ollama")


async def test_the_picker_offers_one_that_runs_and_leaves_the_others_out(browser):
    picker = await browser.get("/picker", headers=HTMX)

    assert "running here" in picker.text
    assert "vLLM" not in picker.text


async def test_one_that_is_connected_and_gone_is_told_as_not_running(browser, ollama):
    kept = await browser.post("/connect/ollama/key", json={"method": "none"}, headers=HTMX)
    ollama.stop()

    picker = await browser.get("/picker", headers=HTMX)
    page = await browser.get("/settings/providers", headers=HTMX)

    assert "Signed in as Ollama" in kept.text
    assert "Ollama <span>not running</span>" in picker.text
    assert "Not running" in card(page, "ollama")


async def test_a_program_learns_who_runs_too(browser):
    listed = (await browser.get("/api/providers")).json()["providers"]

    running = {entry["id"]: entry["running"] for entry in listed}
    assert (running["ollama"], running["vllm"], running["openai"]) == (True, False, None)
