"""An authorization server that we did not write (`oidc-provider`, OpenID certified), and a person at its pages."""

import json
import queue
import re
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2

PATIENCE = 60.0
FOLDER = Path(__file__).parent / "oidc"

CONFIG = """
[providers.peer]
name = "Peer"
[providers.peer.api]
base_url = "{issuer}/v1"
dialect = "openai-chat"
[providers.peer.methods.oauth]
kind = "authorization_code"
client_id = "doorkey"
issuer = "{issuer}"
scopes = ["openid", "offline_access", "email"]
"""
"""The issuer alone: everything else is found by its metadata."""


class Peer:
    """The server as a process, and what it tells of each request."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "server.mjs"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        # Its first word is where it listens.
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.events: list[dict[str, Any]] = []
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        self.issuer = str(self._told.get(timeout=PATIENCE)["issuer"])

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._hear(line)

    def _hear(self, line: str) -> None:
        if line.startswith("{"):  # It also writes for people.
            self.events.append(json.loads(line))
            self._told.put(self.events[-1])

    def count(self, **fields: str) -> int:
        """Count the events whose fields have these values."""
        return sum(all(event.get(name) == value for name, value in fields.items()) for event in list(self.events))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        self._listening.join(PATIENCE)


def approve(url: str, *, who: str = "ada", decision: str = "allow") -> str:
    """Sign in and consent where an address leads, and return the address that the browser is sent to at the end."""
    with httpx2.Client(timeout=PATIENCE) as browser:
        return _consent(browser, browser.get(url), who, decision)


def approve_device(url: str, *, who: str = "ada", decision: str = "allow") -> str:
    """Confirm a code at its complete address, sign in and consent; return the last page."""
    with httpx2.Client(timeout=PATIENCE) as browser:
        page = browser.get(url)
        while not page.is_redirect and (form := _form(page.text)) and 'name="xsrf"' in form:
            page = _send(browser, page, form, confirm="yes")
        return _consent(browser, page, who, decision)


def _consent(browser: httpx2.Client, page: httpx2.Response, who: str, decision: str) -> str:
    while True:
        while page.is_redirect:
            target = urljoin(str(page.url), page.headers["location"])
            if "/callback" in target:
                return target
            page = browser.get(target)
        form = _form(page.text)
        if not form or 'name="prompt"' not in form:
            return page.text
        if decision == "deny":
            page = browser.get(f"{page.url}/abort")
        else:
            page = _send(browser, page, form, login=who, password="any")


def _send(browser: httpx2.Client, page: httpx2.Response, form: str, **typed: str) -> httpx2.Response:
    return browser.post(urljoin(str(page.url), _action(form)), data=_hidden(form) | typed)


def _form(page: str) -> str | None:
    found = re.search(r"<form.*?</form>", page, re.DOTALL)
    return found[0] if found else None


def _action(form: str) -> str:
    found = re.search(r'action="([^"]*)"', form)
    return found[1] if found else ""


def _hidden(form: str) -> dict[str, str]:
    inputs = re.findall(r"<input[^>]*>", form)
    named = [(re.search(r'name="([^"]*)"', text), re.search(r'value="([^"]*)"', text)) for text in inputs]
    return {name[1]: value[1] if value else "" for name, value in named if name}
