"""A small server that answers as GitHub and its Copilot service do: errors with status 200, a token that never ends."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

COPILOT = """
[providers.github-copilot.methods.device]
client_id = "Ov23mine"
issuer = "{url}"
device_url = "{url}/login/device/code"
token_url = "{url}/login/oauth/access_token"
userinfo_url = "{url}/user"
[providers.github-copilot.methods.device.api]
base_url = "{url}/copilot"
"""
PENDING: dict[str, object] = {"error": "authorization_pending"}
TOKEN: dict[str, object] = {"access_token": "gho_practice", "token_type": "bearer", "scope": "read:user"}
MODELS: list[dict[str, object]] = [
    {"id": "gpt-practice", "model_picker_enabled": True, "capabilities": {"type": "chat"}},
    {"id": "gpt-hidden", "model_picker_enabled": False, "capabilities": {"type": "chat"}},
    {"id": "embedding-practice", "model_picker_enabled": True, "capabilities": {"type": "embeddings"}},
    {"id": "gpt-elsewhere", "model_picker_enabled": True, "supported_endpoints": ["/responses"]},
    {"id": "gpt-off", "model_picker_enabled": True, "policy": {"state": "disabled"}},
]


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class GitHub:
    """What it was asked; `decisions` are the answers to the next questions, the last of them for good."""

    url: str = ""
    interval: int = 1
    decisions: list[dict[str, object]] = field(default_factory=lambda: [PENDING, TOKEN])
    asked: list[Asked] = field(default_factory=list)

    def to(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def answer(self, asked: Asked) -> tuple[int, object]:
        self.asked.append(asked)
        if asked.path == "/login/device/code":
            page = f"{self.url}/login/device"
            return 200, {
                "device_code": "practice-device-code",
                "user_code": "ABCD-1234",
                "verification_uri": page,
                "expires_in": 900,
                "interval": self.interval,
            }
        if asked.path == "/login/oauth/access_token":
            if asked.body.get("grant_type") == "refresh_token":
                return 200, TOKEN | {"access_token": "ghu_renewed", "refresh_token": "ghr_two", "expires_in": 28800}
            return 200, self.decisions.pop(0) if len(self.decisions) > 1 else self.decisions[0]
        if not asked.headers.get("authorization", "").startswith("Bearer gh"):
            return 401, {"message": "Bad credentials"}
        if asked.path == "/user":
            return 200, {"id": 583231, "login": "ada", "email": None}
        return 200, {"data": MODELS}


@contextmanager
def github() -> Iterator[GitHub]:
    """Serve it for a while."""
    site = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            is_json = "json" in self.headers.get("content-type", "")
            self._answer(json.loads(text) if is_json else dict(parse_qsl(text)))

        def _answer(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, body)
            if self.path == "/copilot/chat/completions":
                site.asked.append(asked)
                self._send(200, _spoken(body["model"]), "text/event-stream")
                return
            status, answer = site.answer(asked)
            self._send(status, json.dumps(answer).encode(), "application/json")

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


def _spoken(model: str) -> bytes:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}
    said = {"index": 0, "delta": {"role": "assistant", "content": "Hello from Copilot."}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    lines = [f"data: {json.dumps(chunk | {'choices': [choice]})}\n\n" for choice in (said, end)]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()
