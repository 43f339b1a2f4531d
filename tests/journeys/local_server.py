"""What plays a model server of this machine, on a free port."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

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
    stop: Callable[[], None]
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

        def stop() -> None:
            listening.shutdown()
            listening.server_close()

        server = Server(listening.server_address[1], stop)
        Thread(target=listening.serve_forever, daemon=True).start()
        yield server
        stop()
