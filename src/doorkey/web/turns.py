"""A turn of a chat as the page shows it: what was asked, the answer so far, and what can be done about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from doorkey.domain.account import State
from doorkey.domain.approval import Approval, ApprovalState
from doorkey.domain.conversation import Run, RunState
from doorkey.errors import DoorkeyError, SignInNeeded, UsageLimitReached
from doorkey.web.desk import Desk
from doorkey.web.transcript import Answer, Changes, ToolCall
from doorkey.web.views import markup

WRITE = "write_file"

RECONNECT = "Reconnect, then try again: this chat and your message stay."
"""Stands in a chat for the general hint to sign in: the button for it is beside these words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The end of an answer: who served it, and where it stopped, why; `consent` names a yes that is missing.

    `nearest` is the model to choose instead of one that was refused, `until` is when a used-up account opens again.
    """

    state: RunState
    error: str | None = None
    message: str | None = None
    hint: str | None = None
    consent: str | None = None
    nearest: str | None = None
    until: datetime | None = None
    provider: str | None = None
    account: str | None = None
    served: Mapping[str, object] | None = None
    manage_url: str | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A run with its answer; `number` is the last event in it, which the page's stream goes on from."""

    run_id: str
    prompt: str
    number: int
    live: bool
    changes: Changes
    footer: Footer
    approvals: Mapping[str, Approval]
    diffs: Mapping[str, str]


def turn(desk: Desk, run: Run) -> Turn:
    """Show a run as it stands."""
    answer = Answer().take(desk.stores.events.since(run.id, 0))
    changes = answer.changes()
    approvals = _approvals(desk, changes)
    return Turn(
        run_id=run.id,
        prompt=run.prompt,
        number=answer.number,
        live=not answer.over,
        changes=changes,
        footer=_footer(desk, run, answer),
        approvals=approvals,
        diffs=_diffs(desk, approvals),
    )


def fragment(desk: Desk, run_id: str, answer: Answer, *, over: bool = False) -> str:
    """Render what is new in an answer, each part with its place on the page.

    `over` says that nothing more comes, even where no event told so: a process that died has told nothing.
    """
    changes = answer.changes()
    run = desk.stores.runs.load(run_id) if changes.footer or over else None
    approvals = _approvals(desk, changes)
    return markup(
        "parts/changes.html",
        run_id=run_id,
        changes=changes,
        live=not (over or answer.over),
        footer=_footer(desk, run, answer) if run else None,
        approvals=approvals,
        diffs=_diffs(desk, approvals),
    )


def _approvals(desk: Desk, changes: Changes) -> dict[str, Approval]:
    """Load the approvals as they stand now: the row is right, an event only says that it moved."""
    pieces = [*changes.fresh, *changes.touched]
    names = [piece.approval for piece in pieces if isinstance(piece, ToolCall) and piece.approval]
    return {name: desk.stores.approvals.load(name) for name in names}


def _diffs(desk: Desk, approvals: Mapping[str, Approval]) -> dict[str, str]:
    """Say what each write that waits for a yes would change, as the file stands now."""
    found = {name: _diff(desk, row) for name, row in approvals.items() if row.state is ApprovalState.PENDING}
    return {name: diff for name, diff in found.items() if diff is not None}


def _diff(desk: Desk, row: Approval) -> str | None:
    folder = desk.stores.conversations.load(row.conversation).folder
    if row.tool != WRITE or folder is None:
        return None
    asked = json.loads(row.arguments)
    return desk.preview(folder, asked["path"], asked["content"])


def _footer(desk: Desk, run: Run, answer: Answer) -> Footer:
    told = answer.state or {}
    provider, account, method = _server(desk, run, answer)
    error, hint = _text(told.get("error")) or run.error, _text(told.get("hint")) or run.hint
    return Footer(
        state=RunState(str(told.get("state", run.state))),
        error=error,
        message=_text(told.get("message")) or run.message,
        hint=RECONNECT if hint == SignInNeeded.hint and account else hint,
        consent=_text(told.get("consent")),
        nearest=_text(told.get("nearest")),
        until=_until(desk, account) if error == UsageLimitReached.code else None,
        provider=provider,
        account=account,
        served=answer.served,
        manage_url=_manage_url(desk, provider, method),
        tokens=(run.tokens_in or 0) + (run.tokens_out or 0) or None,
    )


def _server(desk: Desk, run: Run, answer: Answer) -> tuple[str | None, str | None, str | None]:
    """Say who served, or should have: provider, account and method."""
    if answer.served:
        served = answer.served
        return _text(served.get("provider")), _text(served.get("account")), _text(served.get("method"))
    conversation = desk.stores.conversations.load(run.conversation)
    provider = (conversation.model or "").partition(":")[0] or None
    default = desk.services.resolver.default(provider) if provider else None
    return provider, conversation.account or (default.id if default else None), None


def _until(desk: Desk, account_id: str | None) -> datetime | None:
    """Say until when an account is used up, where it is and the provider told."""
    account = desk.services.book.one(account_id) if account_id else None
    over = account is not None and account.state(desk.services.clock.now()) is State.OVER_LIMIT
    return account.standing.until if account and over else None


def _manage_url(desk: Desk, provider: str | None, method: str | None) -> str | None:
    try:
        found = desk.services.catalog.provider(provider or "").method(method or "")
    except DoorkeyError:
        return None
    return found.manage_url if found else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
