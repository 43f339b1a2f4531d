"""Servers of this machine: found, told, connected and used, without a credential; nothing else is taken for one."""

import pytest

from doorkey.testing.practice import ACME
from tests.journeys.local_server import CONFIG, MODELS, TAGS, serve

pytestmark = pytest.mark.slow


def standing(ran, provider="ollama"):
    return next(line for line in ran.out.splitlines() if line.startswith(provider))


def test_a_server_that_runs_is_found_connected_and_used_without_a_credential(program):
    with serve({"/api/tags": TAGS, "/v1/models": MODELS}) as ollama:
        program.configure(CONFIG.format(port=ollama.port))

        before = program.run("providers")
        invited = program.run("models")
        kept = program.run("login", "ollama", "--json")
        models = program.run("models")
        answer = program.run("chat", "--model", "ollama:llama3.2:latest", "hello")

    assert standing(before) == "ollama  Ollama · running here"
    assert (invited.code, "ollama runs here; `doorkey login ollama` connects it." in invited.err) == (3, True)
    assert (kept.json["account"]["payer"], kept.json["account"]["source"]) == ("local", "managed")
    assert models.out == "ollama:llama3.2:latest\n"
    assert "Hello from here." in answer.out
    assert not any({"authorization", "x-api-key", "cookie"} & headers.keys() for headers in ollama.heard)


def test_a_server_that_does_not_run_is_told_quietly(program, practice):
    with serve({"/api/tags": TAGS, "/v1/models": MODELS}) as ollama:
        program.configure(CONFIG.format(port=ollama.port))
        program.run("login", "ollama")

    listed = program.run("providers")
    models = program.run("models")
    again = program.run("login", "ollama", "--name", "other")
    program.configure(ACME.format(url=practice.url) + CONFIG.format(port=ollama.port))
    among = program.run("models", ACME_API_KEY=practice.sandbox.make_key())

    assert standing(listed) == "ollama  Ollama · connected · not running"
    assert (models.code, "ollama is not" in models.err) == (1, True)
    assert "ollama: not running" in among.err
    assert (among.code, among.out) == (0, "acme:practice-small\nacme:practice-large\n")
    assert again.code == 1
    assert f"Ollama does not answer at 127.0.0.1:{ollama.port}." in again.err
    assert "Start it with `ollama serve`" in again.err


def test_something_else_on_the_port_is_not_taken_for_it(program):
    with serve({"/": {"hello": "a development server"}, "/v1/models": MODELS}) as other:
        program.configure(CONFIG.format(port=other.port))

        listed = program.run("providers", "--json")
        kept = program.run("login", "ollama")

    running = {entry["id"]: entry["running"] for entry in listed.json["providers"]}
    assert running["ollama"] is False
    assert running["openai"] is None
    assert (kept.code, program.accounts()) == (1, [])
