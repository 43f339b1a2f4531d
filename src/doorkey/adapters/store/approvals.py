"""Tool calls that wait for a person, each used once, and what was allowed for a whole chat (rule 12)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database
from doorkey.domain.approval import MOVES, Approval, ApprovalState, Decision
from doorkey.errors import ApprovalRefused, UnknownName

_INSERT = """
INSERT INTO approvals (id, run, conversation, call_id, tool, arguments, fingerprint, scope, asked_at, state, decision,
    reason, note, result)
VALUES (:id, :run, :conversation, :call_id, :tool, :arguments, :fingerprint, :scope, :asked_at, :state, :decision,
    :reason, :note, :result)
ON CONFLICT DO NOTHING RETURNING id
"""
# What the person saw never changes: a move with other arguments finds no row.
_MOVE = """
UPDATE approvals SET state = :state, decision = :decision, reason = :reason, note = :note, result = :result
WHERE id = :id AND state = :was AND call_id = :call_id AND arguments = :arguments AND fingerprint = :fingerprint
RETURNING id
"""


class SqlApprovals:
    """Fill `ports.Approvals`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, approval: Approval) -> None:
        if not self._database.rows(_INSERT, asdict(approval) | {"asked_at": stamp(approval.asked_at)}):
            raise ApprovalRefused("The model used the id of an earlier call again.")

    def load(self, approval: str) -> Approval:
        for row in self._database.rows("SELECT * FROM approvals WHERE id = ?", (approval,)):
            return _approval(dict(row))
        raise UnknownName("There is no such question.")

    def of(self, run: str) -> Sequence[Approval]:
        sql = "SELECT * FROM approvals WHERE run = ? ORDER BY asked_at, id"
        return [_approval(dict(row)) for row in self._database.rows(sql, (run,))]

    def move(self, approval: Approval, *, was: ApprovalState) -> bool:
        refuse_illegal(was, approval.state)
        return bool(self._database.rows(_MOVE, asdict(approval) | {"asked_at": None, "was": was}))


class SqlAllowances:
    """Fill `ports.Allowances`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def allows(self, conversation: str, scope: str) -> bool:
        sql = "SELECT 1 FROM allowances WHERE conversation = ? AND scope = ?"
        return bool(self._database.rows(sql, (conversation, scope)))

    def allow(self, conversation: str, scope: str) -> None:
        sql = "INSERT INTO allowances (conversation, scope) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._database.rows(sql, (conversation, scope))


def refuse_illegal(was: ApprovalState, state: ApprovalState) -> None:
    """Raise ApprovalRefused for a move that the domain's table does not have."""
    if state not in MOVES.get(was, frozenset()):
        raise ApprovalRefused(f"A call that is {was} cannot become {state}.")


def _approval(fields: dict[str, Any]) -> Approval:
    decision = fields["decision"]
    read = {
        "asked_at": datetime.fromisoformat(fields["asked_at"]),
        "state": ApprovalState(fields["state"]),
        "decision": None if decision is None else Decision(decision),
    }
    return Approval(**(fields | read))
