"""The engine with the real SDKs, over the practice provider on a real socket and the stores on disk."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx2
import pytest

from doorkey.adapters.http.auth import AsyncAccountAuth
from doorkey.adapters.store.sqlite import open_app
from doorkey.agent.engine import Engine
from doorkey.domain.approval import Decision
from doorkey.domain.conversation import Event, EventKind
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider
from doorkey.domain.secret import Secret
from doorkey.ports import FoundKey
from doorkey.sandbox import server
from doorkey.sandbox.app import Sandbox
from doorkey.service.resolve import Choice, Wish
from doorkey.service.services import ChatStores, Services
from doorkey.testing.clock import FakeClock
from doorkey.testing.values import a_conversation

from .chatting import BARE, Numbers, heard, last_state, text_of, until

METHOD = Method(id="api-key", kind=Kind.API_KEY, name="Practice key", payer=Payer.LOCAL)
ROOTS = {Dialect.OPENAI_CHAT: "/v1", Dialect.OPENAI_RESPONSES: "/v1", Dialect.ANTHROPIC_MESSAGES: ""}


@dataclass
class Shop:
    """Resolver, sources and clients over a practice provider in this process."""

    sandbox: Sandbox
    dialect: Dialect
    key: Secret

    def choose(self, wish: Wish) -> Choice:
        api = Api(base_url=f"{self.sandbox.base_url}{ROOTS[self.dialect]}", dialect=self.dialect)
        provider = Provider(id="sandbox", name="Sandbox", api=api, methods=(METHOD,))
        found = FoundKey("DOORKEY_SANDBOX_KEY", self.key, "environment")
        return Choice(provider=provider, method=METHOD, rule="environment", key=found)

    def async_of(self, choice: Choice, detail: str | None = None) -> "Shop":
        return self

    async def get(self) -> Secret:
        return self.key

    async def renew(self, rejected: Secret) -> Secret:
        return self.key

    def async_client(self, choice: Choice, *, detail: str | None = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(auth=AsyncAccountAuth(choice, self), trust_env=False)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    running = server.start()
    yield running.sandbox
    running.stop()


@pytest.fixture(params=list(Dialect))
def shop(request: pytest.FixtureRequest, sandbox: Sandbox) -> Shop:
    sandbox.faults.clear()
    return Shop(sandbox, request.param, Secret(sandbox.make_key()))


@asynccontextmanager
async def engine_over(shop: Shop, place: Path) -> AsyncIterator[tuple[Engine, ChatStores]]:
    app = open_app(place)
    models = SimpleNamespace(explain=lambda _choice, _model, error: error)
    services = SimpleNamespace(resolver=shop, sources=shop, models=models, clock=FakeClock(), entropy=Numbers())
    stores = cast("ChatStores", app)
    engine = Engine(cast("Services", services), stores, shop, [place], confinement=BARE)
    try:
        yield engine, stores
    finally:
        await engine.close()
        app.close()


async def ask(engine: Engine, stores: ChatStores, prompt: str, folder: Path | None = None) -> list[Event]:
    chat = a_conversation(model="sandbox:practice-small", folder=str(folder) if folder else None)
    stores.conversations.save(chat)
    return await heard(engine, (await engine.start(chat.id, prompt)).id)


async def test_every_dialect_answers_and_counts_its_tokens(shop: Shop, tmp_path: Path):
    async with engine_over(shop, tmp_path) as (engine, stores):
        events = await ask(engine, stores, "say: the quick brown fox")

        assert text_of(events) == "the quick brown fox"
        assert stores.runs.load(events[0].run).tokens_out


async def test_every_dialect_writes_a_file_once_it_is_allowed(shop: Shop, tmp_path: Path, root: Path):
    async with engine_over(shop, tmp_path / "home") as (engine, stores):
        chat = a_conversation(model="sandbox:practice-small", folder=str(root))
        stores.conversations.save(chat)
        run = await engine.start(chat.id, 'call write_file {"path": "note.txt", "content": "hello"}')
        await until(engine, run.id, EventKind.STATE, state="waiting")
        (row,) = stores.approvals.of(run.id)
        await engine.decide(row.id, Decision.ONCE)
        events = await heard(engine, run.id)
        more = await heard(engine, (await engine.start(chat.id, "say: still here")).id)

    assert (root / "note.txt").read_text() == "hello"
    assert last_state(events) == {"state": "done"}
    assert text_of(more) == "still here"


async def test_every_dialects_refusal_becomes_our_error(shop: Shop, tmp_path: Path):
    async with engine_over(shop, tmp_path) as (engine, stores):
        shop.key = Secret("canary-wrong-key")
        events = await ask(engine, stores, "say: hello")

    assert last_state(events)["error"] == "sign_in_needed"
    assert "canary" not in repr(events)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("unavailable", "provider_unavailable"),
        ("limit_with_reset", "provider_unavailable"),
        ("cut_stream", "provider_unavailable"),
        ("garbage", "provider_unavailable"),
    ],
)
async def test_every_dialects_faults_are_told_apart(shop: Shop, tmp_path: Path, kind: str, code: str):
    async with engine_over(shop, tmp_path) as (engine, stores):
        shop.sandbox.faults.add(kind, endpoint="model")
        events = await ask(engine, stores, "say: the quick brown fox jumps over the lazy dog")

    assert last_state(events)["error"] == code


async def test_a_cut_answer_keeps_its_first_words(shop: Shop, tmp_path: Path):
    async with engine_over(shop, tmp_path) as (engine, stores):
        shop.sandbox.faults.add("cut_stream", endpoint="model", chunks=4)
        events = await ask(engine, stores, "say: the quick brown fox jumps over the lazy dog")
        kept = stores.runs.history(events[0].run)

    assert text_of(events).startswith("the quick")
    assert b"the quick" in kept
