"""A page over a house of its own and an engine that a test plays by hand, with a browser that was let in."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2

from doorkey.bootstrap import open_house
from doorkey.domain.account import Account, Origins, Standing
from doorkey.domain.approval import ApprovalState, Decision
from doorkey.domain.conversation import LIVE, Event, EventKind, Run, RunState
from doorkey.errors import FolderRefused
from doorkey.service.launch import LaunchGate
from doorkey.service.services import ChatStores
from doorkey.testing.clock import FakeClock
from doorkey.testing.script import Endpoints, answer
from doorkey.testing.values import HOUR, a_conversation, a_run, held, some_tokens
from doorkey.web.app import build
from doorkey.web.desk import Desk

PORT = 8377
ORIGIN = f"http://127.0.0.1:{PORT}"

CONFIG = """
[providers.acme]
name = "Acme"
[providers.acme.api]
base_url = "https://api.example/v1"
dialect = "openai-chat"
env = "ACME_API_KEY"
[providers.acme.methods.oauth]
kind = "authorization_code"
name = "Acme sign-in"
client_id = "client-1"
issuer = "https://issuer.example"
authorize_url = "https://issuer.example/authorize"
token_url = "https://issuer.example/token"
revoke_url = "https://issuer.example/revoke"
[providers.acme.methods.api-key]
kind = "api_key"
name = "API key"
[providers.anthropic.methods.claude]
client_id = "issued-to-me"
"""


class FakeEngine:
    """Fill `desk.Engine`: a test says which events come; `more` lets those who listen know."""

    def __init__(self, stores: ChatStores) -> None:
        self.stores = stores
        self.calls: list[tuple[object, ...]] = []
        self.more = anyio.Event()

    async def start(self, conversation_id: str, prompt: str) -> Run:
        self.calls.append(("start", conversation_id, prompt))
        run = a_run(conversation_id, prompt=prompt)
        self.stores.runs.save(run)
        return run

    async def stop(self, run_id: str) -> None:
        self.calls.append(("stop", run_id))
        if run_id == "nothing":
            raise RuntimeError("canary")

    async def decide(self, approval_id: str, decision: Decision, reason: str | None = None) -> None:
        self.calls.append(("decide", approval_id, decision, reason))
        row = self.stores.approvals.load(approval_id)
        state = ApprovalState.DENIED if decision is Decision.DENY else ApprovalState.ALLOWED
        self.stores.approvals.move(replace(row, state=state, decision=decision, reason=reason), was=row.state)

    async def resume(self, run_id: str) -> None:
        self.calls.append(("resume", run_id))

    async def retry(self, run_id: str) -> Run:
        run = self.stores.runs.load(run_id)
        return await self.start(run.conversation, run.prompt)

    async def subscribe(self, run_id: str, after: int) -> AsyncIterator[Event]:
        while True:
            more = self.more
            for event in self.stores.events.since(run_id, after):
                after = event.number
                yield event
            if self.stores.runs.load(run_id).state not in LIVE:
                return
            await more.wait()

    def tell(self, run: Run, kind: EventKind, **body: object) -> Event:
        """Append an event to a run; a final state ends it."""
        event = self.stores.events.append(run.id, kind, body)
        if kind is EventKind.STATE:
            self.stores.runs.save(replace(run, state=RunState(str(body["state"]))))
        self.more.set()
        self.more = anyio.Event()
        return event

    def say(self, run: Run, *texts: str) -> None:
        """Append pieces of an answer."""
        for text in texts:
            self.tell(run, EventKind.TEXT, text=text)


class Room:
    """The page over a house in the test's own home; providers answer from a script."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        (folder / "config.toml").write_text(config)
        self.folder = folder
        self.endpoints = Endpoints()
        self.house = open_house(environ={"DOORKEY_HOME": str(folder)}, here=folder)
        self.house.transport = self.endpoints  # type: ignore[assignment]  # it fills the same port
        self.services, self.stores = self.house.services, self.house.stores
        self.engine = FakeEngine(self.stores)
        self.clock = FakeClock()
        self.gate = LaunchGate(self.clock, self.house.entropy)
        self.opened: list[bool] = []
        self.app = build(
            self.services,
            self.stores,
            self.engine,
            self.gate,
            lock=self.house.unlocking(lambda: self.opened.append(True)),
            version="1.2.3",
            folder_check=check_folder,
            preview=self.house.chat_folders.preview,
        )
        self.desk: Desk = self.app.app.state.desk  # type: ignore[attr-defined]  # the app inside its guard

    def browser(self, *, raise_app_exceptions: bool = True, **headers: str) -> httpx2.AsyncClient:
        """Make a browser without a session."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=raise_app_exceptions)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def enter(self, *, raise_app_exceptions: bool = True) -> httpx2.AsyncClient:
        """Let a browser in, as its own page: with the cookie, the key and the origin."""
        token, key = self.gate.mint()
        own = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "x-doorkey-key": key.reveal()}
        browser = self.browser(raise_app_exceptions=raise_app_exceptions, **own)
        await browser.get(f"/launch?token={token.reveal()}", headers={"sec-fetch-site": "none"})
        return browser

    def chat(self, **changes: Any) -> Run:
        """Keep a chat with an answer that has begun."""
        conversation = a_conversation(**({"model": "acme:small"} | changes))
        self.stores.conversations.save(conversation)
        run = a_run(conversation.id)
        self.stores.runs.save(run)
        return run

    def keep(self, **changes: Any) -> Account:
        """Keep an account at Acme that lasts another hour."""
        now = self.services.clock.now()
        origins = Origins(
            api="https://api.example:443", token="https://issuer.example:443", revoke="https://issuer.example:443"
        )
        lasting = {"origins": origins, "created_at": now, "expires_at": now + HOUR}
        tokens = some_tokens("canary", issued_at=now, expires_at=now + HOUR)
        kept = held(tokens, **(lasting | changes))
        self.house.vault.accounts.save(kept, read=None)
        return kept.account

    def stand(self, account: Account, **standing: Any) -> None:
        """Record how an account stands."""
        self.house.vault.accounts.save_standing(replace(account, standing=Standing(**standing)))

    def found(self, name: str, value: str) -> None:
        """Put a key into the `.env` of the folder that Doorkey was started in."""
        (self.folder / ".env").write_text(f"{name}={value}\n")

    def list_models(self, *names: str) -> None:
        """Let the provider answer the next question for its models."""
        self.endpoints.scripted.append(answer(200, {"data": [{"id": name} for name in names]}))


def check_folder(text: str) -> str:
    """Accept only what lies below `/projects`."""
    if not text.startswith("/projects"):
        raise FolderRefused("That folder stays closed.")
    return text.rstrip("/")


def messages(stream: str) -> list[tuple[int, str]]:
    """Read server-sent events: each message's number and HTML."""
    found = []
    for block in stream.split("\n\n"):
        lines = block.split("\n")
        number = next((int(line[4:]) for line in lines if line.startswith("id: ")), None)
        if number is not None:
            found.append((number, "\n".join(line[6:] for line in lines if line.startswith("data: "))))
    return found


def reply_to(sign_in: Mapping[str, Any], *, error: str = "") -> str:
    """Make the address that a browser lands on after a sign-in."""
    asked = parse_qs(urlsplit(sign_in["url"]).query)
    outcome = f"error={error}" if error else "code=code-1"
    return f"{sign_in['redirect']}?{outcome}&state={asked['state'][0]}&iss=https%3A%2F%2Fissuer.example"
