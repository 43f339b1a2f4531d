"""A tool call that waits for a person: decided once, run once, bound to its exact arguments (rule 12)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ApprovalState(StrEnum):
    """Where an approval is; a crash can leave one RUNNING, and then the person is asked again."""

    PENDING = "pending"
    ALLOWED = "allowed"
    DENIED = "denied"
    RUNNING = "running"
    DONE = "done"


class Decision(StrEnum):
    """What the person chose."""

    ONCE = "once"
    CHAT = "chat"
    DENY = "deny"


MOVES: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.PENDING: frozenset({ApprovalState.ALLOWED, ApprovalState.DENIED}),
    ApprovalState.ALLOWED: frozenset({ApprovalState.RUNNING}),
    ApprovalState.RUNNING: frozenset({ApprovalState.DONE, ApprovalState.PENDING}),
    ApprovalState.DENIED: frozenset({ApprovalState.DONE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One tool call and what became of it; `scope` is what *Allow in this chat* remembers.

    `arguments` is canonical JSON, `fingerprint` its hash together with the tool's name. `note` tells the person what
    is special (`reads a guarded file`, `was interrupted while running`).
    """

    id: str
    run: str
    conversation: str
    call_id: str
    tool: str
    arguments: str
    fingerprint: str
    scope: str
    asked_at: datetime
    state: ApprovalState = ApprovalState.PENDING
    decision: Decision | None = None
    reason: str | None = None
    note: str | None = None
    result: str | None = None


def canonical(arguments: Mapping[str, object]) -> str:
    """Write arguments as JSON in one way only, in ASCII, so that equal ones have equal hashes."""
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))


def fingerprint(tool: str, arguments: Mapping[str, object]) -> str:
    """Hash a tool's name and its exact arguments: what an approval is bound to."""
    return hashlib.sha256(f"{tool}\n{canonical(arguments)}".encode()).hexdigest()
