"""Servers of this machine: found, told, connected and used, without a credential; nothing else is taken for one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from doorkey.testing.practice import ACME

pytestmark = pytest.mark.slow

TAGS = {"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest", "digest": "a80c4f17acd5"}]}
MODELS = {"object": "list", "data": [{"id": "llama3.2:latest", "object": "model", "owned_by": "library"}]}
CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "llama3.2:latest"}
CONFIG = """
[providers.ollama.api]
base_url = "http://127.0.0.1:{port}/v1"
"""


@dataclass
class Server:
    """What plays Ollama: its port, and the headers of everything that it was asked."""

    port: int
    heard: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serve(pages: dict[str, object]) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._heard()
            found = pages.get(self.path)
            self._send(200 if found else 404, "application/json", json.dumps(found or {}).encode())

        def do_POST(self):
            self._heard()
            self.rfile.read(int(self.headers["content-length"]))
            pieces = [{"delta": {"content": "Hello from here."}}, {"delta": {}, "finish_reason": "stop"}]
            chunks = [json.dumps(CHUNK | {"choices": [{"index": 0} | piece]}) for piece in pieces]
            body = "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"])
            self._send(200, "text/event-stream", body.encode())

        def _heard(self):
            server.heard.append({name.lower(): value for name, value in self.headers.items()})

        def _send(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = Server(listening.server_address[1])
        Thread(target=listening.serve_forever, daemon=True).start()
        yield server
        listening.shutdown()


def standing(ran, provider="ollama"):
    return next(line for line in ran.out.splitlines() if line.startswith(provider))


def test_a_server_that_runs_is_found_connected_and_used_without_a_credential(program):
    with serve({"/api/tags": TAGS, "/v1/models": MODELS}) as ollama:
        program.configure(CONFIG.format(port=ollama.port))

        before = program.run("providers")
        kept = program.run("login", "ollama", "--json")
        models = program.run("models")
        answer = program.run("chat", "--model", "ollama:llama3.2:latest", "hello")

    assert standing(before) == "ollama  Ollama · running here"
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
