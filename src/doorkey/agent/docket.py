"""The calls that wait for a person: each asked for once, decided once, run once, and bound to its exact arguments."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from doorkey.agent.tools import scope
from doorkey.domain.approval import Approval, ApprovalState, Decision, canonical, fingerprint
from doorkey.domain.conversation import Run, RunState
from doorkey.errors import ApprovalRefused
from doorkey.ports import Clock, Entropy
from doorkey.service.services import ChatStores

INTERRUPTED = "was interrupted while it ran; it may already have happened"

# The steps by which a call leaves the docket when its run ends before it.
_LEAVING: Mapping[ApprovalState, tuple[ApprovalState, ...]] = {
    ApprovalState.PENDING: (ApprovalState.DENIED, ApprovalState.DONE),
    ApprovalState.ALLOWED: (ApprovalState.RUNNING, ApprovalState.DONE),
    ApprovalState.RUNNING: (ApprovalState.DONE,),
    ApprovalState.DENIED: (ApprovalState.DONE,),
    ApprovalState.DONE: (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call as the model made it; `note` is what the person should know before they agree."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    note: str | None = None


class Docket:
    """The approvals of all chats (rule 12). Synchronous: one thread at a time comes here."""

    def __init__(self, stores: ChatStores, clock: Clock, entropy: Entropy) -> None:
        self._stores = stores
        self._clock = clock
        self._entropy = entropy

    def refuse_repeats(self, run: Run, calls: Sequence[Call]) -> None:
        """Raise ApprovalRefused when a call bears the id of another one in this chat, whenever that was."""
        ids = [call.id for call in calls]
        earlier = {row.call_id for other in self._stores.runs.of(run.conversation) for row in self.of(other.id)}
        if len(set(ids)) != len(ids) or not earlier.isdisjoint(ids):
            raise ApprovalRefused("The model used the id of an earlier call again, so nobody can tell them apart.")

    def ask(self, run: Run, calls: Sequence[Call]) -> list[Approval]:
        """Keep a question for each call; what was allowed for this chat is answered at once."""
        return [self._ask(run, call) for call in calls]

    def of(self, run: str) -> Sequence[Approval]:
        """Return all questions of a run."""
        return self._stores.approvals.of(run)

    def open(self, run: str) -> list[Approval]:
        """Return those of a run that are not done."""
        return [row for row in self.of(run) if row.state is not ApprovalState.DONE]

    def decide(self, approval_id: str, decision: Decision, reason: str | None) -> Approval:
        """Record what the person chose; raises ApprovalRefused when it was chosen before or nobody waits for it."""
        row = self._stores.approvals.load(approval_id)
        if row.state is not ApprovalState.PENDING:
            raise ApprovalRefused("This call was already decided.", hint="Look at the chat for what became of it.")
        if self._stores.runs.load(row.run).state is not RunState.WAITING:
            raise ApprovalRefused("The answer that asked for this call has ended.")
        state = ApprovalState.DENIED if decision is Decision.DENY else ApprovalState.ALLOWED
        decided = self._move(replace(row, decision=decision, reason=reason), state)
        if decision is Decision.CHAT:
            self._stores.allowances.allow(row.conversation, row.scope)
        return decided

    def begin(self, run: str, call: Call) -> Approval:
        """Mark an allowed call as running, right before it runs.

        One that already ran comes back DONE, with its result. Raises ApprovalRefused unless a person allowed exactly
        this call.
        """
        row = next((row for row in self.of(run) if row.call_id == call.id), None)
        if row is None or row.fingerprint != fingerprint(call.tool, call.arguments):
            raise ApprovalRefused("This is not the call that was approved.")
        return row if row.state is ApprovalState.DONE else self._move(row, ApprovalState.RUNNING)

    def finish(self, row: Approval, result: str) -> Approval:
        """Keep what a call came to."""
        return self._move(replace(row, result=result), ApprovalState.DONE)

    def hand_over_denials(self, run: str) -> list[Approval]:
        """Mark the denied calls of a run as done, as the model is about to hear of them."""
        return [self._move(row, ApprovalState.DONE) for row in self.of(run) if row.state is ApprovalState.DENIED]

    def close(self, run: str, why: str) -> list[Approval]:
        """Take a run's open calls off the docket, because the run has ended."""
        return [self._leave(row, why) for row in self.open(run)]

    def reopen(self, run: str) -> list[Approval]:
        """Ask again about calls that a crash left running."""
        found = [row for row in self.of(run) if row.state is ApprovalState.RUNNING]
        return [self._move(replace(row, note=INTERRUPTED, decision=None), ApprovalState.PENDING) for row in found]

    def _ask(self, run: Run, call: Call) -> Approval:
        what = scope(call.tool, call.arguments)
        row = Approval(
            id=f"apr_{self._entropy.bytes(12).hex()}",
            run=run.id,
            conversation=run.conversation,
            call_id=call.id,
            tool=call.tool,
            arguments=canonical(call.arguments),
            fingerprint=fingerprint(call.tool, call.arguments),
            scope=what,
            asked_at=self._clock.now(),
            note=call.note,
        )
        self._stores.approvals.add(row)
        if self._stores.allowances.allows(run.conversation, what):
            return self._move(replace(row, decision=Decision.CHAT), ApprovalState.ALLOWED)
        return row

    def _move(self, row: Approval, state: ApprovalState) -> Approval:
        moved = replace(row, state=state)
        if not self._stores.approvals.move(moved, was=row.state):
            raise ApprovalRefused("Somebody else decided or ran this call just now.")
        return moved

    def _leave(self, row: Approval, why: str) -> Approval:
        row = replace(row, reason=row.reason or why)
        for state in _LEAVING[row.state]:
            row = self._move(row, state)
        return row


def arguments_of(row: Approval) -> dict[str, Any]:
    """Read the arguments that a row is bound to."""
    read: dict[str, Any] = json.loads(row.arguments)
    return read
