"""Chats as they are kept: a conversation, its runs, and the numbered events of each run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from doorkey.domain.provider import Payer


class RunState(StrEnum):
    """Where an answer is. WAITING is for an approval; INTERRUPTED is what a crash leaves behind."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


LIVE = frozenset({RunState.RUNNING, RunState.WAITING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """A model as it is named everywhere: `PROVIDER:MODEL`."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> "ModelName | None":
        """Split at the first colon; None where either side is empty (a model's own name may hold colons)."""
        provider, _, model = text.strip().partition(":")
        return cls(provider=provider, model=model) if provider and model else None

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A chat: its chosen model, pinned account and folder; `served_by` is the account that last answered (rule 5)."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    model: str | None = None
    account: str | None = None
    folder: str | None = None
    served_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who served an answer and who pays for it; recorded with every run and shown beside the composer."""

    provider: str
    model: str
    method: str
    payer: Payer
    account: str | None = None
    label: str = ""
    source: str = "managed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One answer being made; `prompt` is what the person typed, `history` the model messages after it (JSON).

    `error` and `hint` say why it failed; the prompt is kept, so nothing typed is ever lost.
    """

    id: str
    conversation: str
    prompt: str
    started_at: datetime
    state: RunState = RunState.RUNNING
    ended_at: datetime | None = None
    served: Served | None = None
    error: str | None = None
    message: str | None = None
    hint: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class EventKind(StrEnum):
    """What an event tells: TEXT appends to the answer, STATE ends or pauses the run; the others are what they say."""

    TEXT = "text"
    THINKING = "thinking"
    CALL = "call"
    RESULT = "result"
    APPROVAL = "approval"
    SERVED = "served"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered event of a run, from 1, without gaps: what a page subscribes to."""

    run: str
    number: int
    kind: EventKind
    body: Mapping[str, object] = field(default_factory=dict)
