"""A world to chat in: stores in memory, one account, and a model that says what a test wrote down for it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from doorkey.adapters.store.stores import AppStore
from doorkey.agent.confinement import Confinement, scrubbed
from doorkey.agent.engine import Engine
from doorkey.domain.account import Account
from doorkey.domain.approval import Approval
from doorkey.domain.conversation import Conversation, Event, EventKind
from doorkey.domain.provider import Api, Dialect, Kind, Method, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, ModelRefused, UnknownName
from doorkey.service.resolve import Choice, Wish
from doorkey.service.services import ChatStores, Services
from doorkey.testing.clock import FakeClock
from doorkey.testing.memory import memory_app
from doorkey.testing.values import a_conversation, an_account

METHOD = Method(id="oauth", kind=Kind.AUTHORIZATION_CODE, name="Sign in")
ACME = Provider(
    id="acme",
    name="Acme",
    api=Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT),
    methods=(METHOD,),
)
BARE = Confinement(environment=scrubbed(os.environ), program=None, sentence="Not confined.")

PATIENCE = 60
"""Seconds: only what would hang for ever takes so long."""

Piece = str | DeltaToolCall | asyncio.Event | Exception


def call(tool: str, call_id: str, **arguments: object) -> DeltaToolCall:
    """Write down a tool call of the model."""
    return DeltaToolCall(name=tool, json_args=json.dumps(arguments), tool_call_id=call_id)


@dataclass
class Script:
    """What the model says, answer by answer; an event in it is waited for, an error is raised."""

    answers: list[Sequence[Piece]]
    heard: list[list[ModelMessage]] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    instructions: str | None = None

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        self.heard.append(list(messages))
        self.tools = [tool.name for tool in info.function_tools]
        self.instructions = info.instructions
        for number, piece in enumerate(self.answers.pop(0)):
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece if isinstance(piece, str) else {number: piece}

    def texts(self) -> list[str]:
        """Give everything that the model was last told, part by part."""
        parts = [part for message in self.heard[-1] for part in message.parts]
        return [str(part.content) for part in parts if getattr(part, "content", None)]


@dataclass
class Door:
    """Resolver, sources and clients in one: it lets the account through until a test gives it a refusal."""

    account: Account = field(default_factory=an_account)
    refusal: DoorkeyError | None = None
    stale: DoorkeyError | None = None
    renewal: asyncio.Event | None = None
    wishes: list[Wish] = field(default_factory=list)
    renewed: int = 0

    def choose(self, wish: Wish) -> Choice:
        self.wishes.append(wish)
        if self.refusal:
            raise self.refusal
        return Choice(provider=ACME, method=METHOD, rule="default for acme", account=self.account)

    def async_of(self, choice: Choice, detail: str | None = None) -> "Door":
        return self

    async def get(self) -> Secret:
        self.renewed += 1
        if self.renewal:
            await self.renewal.wait()
        if self.stale:
            raise self.stale
        return Secret("canary-token")

    def async_client(self, choice: Choice, *, detail: str | None = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient()

    def explain(self, choice: Choice, model: str, error: DoorkeyError) -> DoorkeyError:
        return ModelRefused(f"{model} is not there.", nearest="acme:large") if type(error) is UnknownName else error


class Numbers:
    """Fill `ports.Entropy`: each value is new, and greater than the one before."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def bytes(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(size, "big")


@dataclass
class World:
    """Engines come and go over the same stores."""

    script: Script
    door: Door = field(default_factory=Door)
    clock: FakeClock = field(default_factory=FakeClock)
    app: AppStore = field(init=False)
    entropy: Numbers = field(default_factory=Numbers)
    recorded: list[tuple[Account, DoorkeyError]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = memory_app(self.clock)

    @property
    def stores(self) -> ChatStores:
        return cast("ChatStores", self.app)

    @asynccontextmanager
    async def engine(self, **options: Any) -> AsyncIterator[Engine]:
        services = SimpleNamespace(
            resolver=self.door, sources=self.door, models=self.door, clock=self.clock, entropy=self.entropy
        )
        engine = Engine(
            cast("Services", services),
            self.stores,
            self.door,
            [],
            confinement=BARE,
            build_model=lambda *_: FunctionModel(stream_function=self.script.stream),
            record=lambda account, error: self.recorded.append((account, error)),
            **options,
        )
        try:
            yield engine
        finally:
            await engine.close()

    def chat(self, folder: Path | None = None, **changes: object) -> Conversation:
        chat = a_conversation(model="acme:small", folder=None if folder is None else str(folder))
        self.stores.conversations.save(replace(chat, **changes))  # type: ignore[arg-type]
        return chat

    def approvals(self, run: str) -> Sequence[Approval]:
        return self.stores.approvals.of(run)


async def heard(engine: Engine, run: str, after: int = 0) -> list[Event]:
    """Listen to a run up to its end; a run that never ends fails the test."""
    async with asyncio.timeout(PATIENCE):
        return [event async for event in engine.subscribe(run, after)]


async def until(engine: Engine, run: str, kind: EventKind, **body: object) -> list[Event]:
    """Listen to a run up to the first event of a kind with this body."""
    events = []
    async with asyncio.timeout(PATIENCE):
        async for event in engine.subscribe(run):
            events.append(event)
            if event.kind is kind and body.items() <= event.body.items():
                break
    return events


def text_of(events: Sequence[Event]) -> str:
    """Join what was said."""
    return "".join(str(event.body["text"]) for event in events if event.kind is EventKind.TEXT)


def last_state(events: Sequence[Event]) -> dict[str, object]:
    """Give the body of the last event, which tells the state."""
    assert events[-1].kind is EventKind.STATE
    return dict(events[-1].body)
