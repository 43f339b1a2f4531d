"""The stores of the chats in memory; they share their rows, so that a chat takes along what belongs to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import RLock

from doorkey.adapters.store.approvals import refuse_illegal
from doorkey.adapters.store.page_sessions import LIFETIME, SEEN_STEP
from doorkey.domain.approval import Approval, ApprovalState
from doorkey.domain.conversation import LIVE, Conversation, Event, EventKind, Run, RunState
from doorkey.domain.secret import Secret
from doorkey.domain.usage import Usage, summed
from doorkey.domain.window import Window
from doorkey.errors import ApprovalRefused, UnknownName
from doorkey.ports import PageSession
from doorkey.testing.memory.rows import known


@dataclass(slots=True, kw_only=True)
class Chats:
    """What the stores of one app share, so that a chat takes along what belongs to it."""

    lock: RLock = field(default_factory=RLock)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    histories: dict[str, bytes] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    allowances: set[tuple[str, str]] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)

    @contextmanager
    def belonging_to(self, rows: Mapping[str, object], parent: str) -> Iterator[None]:
        """Hold the lock while something is added to its parent, which must exist."""
        with self.lock:
            if parent not in rows:
                raise UnknownName("What this belongs to does not exist any more.")
            yield


class MemoryConversations:
    """Fill `ports.Conversations`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def all(self) -> Sequence[Conversation]:
        with self._chats.lock:
            rows = sorted(self._chats.conversations.values(), key=lambda each: each.id)
            return sorted(rows, key=lambda each: each.updated_at, reverse=True)

    def load(self, conversation: str) -> Conversation:
        with self._chats.lock:
            return known(self._chats.conversations, conversation)

    def save(self, conversation: Conversation) -> None:
        with self._chats.lock:
            self._chats.conversations[conversation.id] = conversation

    def delete(self, conversation: str) -> None:
        chats = self._chats
        with chats.lock:
            chats.conversations.pop(conversation, None)
            gone = {run.id for run in chats.runs.values() if run.conversation == conversation}
            for rows in (chats.runs, chats.histories, chats.events):
                for run in gone:
                    rows.pop(run, None)
            chats.approvals = {row.id: row for row in chats.approvals.values() if row.conversation != conversation}
            chats.allowances = {pair for pair in chats.allowances if pair[0] != conversation}
            chats.stops -= gone


class MemoryRuns:
    """Fill `ports.Runs`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def of(self, conversation: str) -> Sequence[Run]:
        with self._chats.lock:
            rows = [run for run in self._chats.runs.values() if run.conversation == conversation]
            return sorted(rows, key=lambda run: (run.started_at, run.id))

    def load(self, run: str) -> Run:
        with self._chats.lock:
            return known(self._chats.runs, run)

    def save(self, run: Run, *, history: bytes | None = None) -> None:
        with self._chats.belonging_to(self._chats.conversations, run.conversation):
            self._chats.runs[run.id] = run
            if history is not None:
                self._chats.histories[run.id] = history

    def begin(self, run: Run) -> bool:
        with self._chats.lock:
            if any(each.state in LIVE for each in self.of(run.conversation)):
                return False
            self.save(run)
            return True

    def history(self, run: str) -> bytes | None:
        return self._chats.histories.get(run)


class MemoryStops:
    """Fill `ports.Stops`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def ask(self, run: str) -> None:
        with self._chats.belonging_to(self._chats.runs, run):
            self._chats.stops.add(run)

    def asked(self, run: str) -> bool:
        return run in self._chats.stops


class MemoryLedger:
    """Fill `ports.Ledger`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def usage(self, since: datetime | None = None) -> Sequence[Usage]:
        with self._chats.lock:
            runs = sorted(self._chats.runs.values(), key=lambda run: (run.started_at, run.id))
        return summed(
            Usage.of(run.served, run.tokens_in or 0, run.tokens_out or 0)
            for run in runs
            if run.served and (since is None or run.started_at >= since)
            if run.state is RunState.DONE or run.tokens_in is not None
        )


class MemoryReadings:
    """Fill `ports.Readings`."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Window]] = {}
        self._lock = RLock()

    def keep(self, account: str, windows: Sequence[Window]) -> None:
        with self._lock:
            kept = self._rows.setdefault(account, {})
            for window in windows:
                if window.name not in kept or kept[window.name].as_of <= window.as_of:
                    kept[window.name] = window

    def all(self) -> Mapping[str, Sequence[Window]]:
        with self._lock:
            return {account: [kept[name] for name in sorted(kept)] for account, kept in self._rows.items()}

    def forget(self, account: str) -> None:
        with self._lock:
            self._rows.pop(account, None)


class MemoryEvents:
    """Fill `ports.Events`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def append(self, run: str, kind: EventKind, body: Mapping[str, object]) -> Event:
        with self._chats.belonging_to(self._chats.runs, run):
            rows = self._chats.events.setdefault(run, [])
            rows.append(Event(run, len(rows) + 1, kind, dict(body)))
            return rows[-1]

    def since(self, run: str, number: int) -> Sequence[Event]:
        with self._chats.lock:
            return self._chats.events.get(run, [])[max(number, 0) :]


class MemoryApprovals:
    """Fill `ports.Approvals`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def add(self, approval: Approval) -> None:
        with self._chats.belonging_to(self._chats.runs, approval.run):
            call = (approval.run, approval.call_id)
            if any((row.run, row.call_id) == call for row in self._chats.approvals.values()):
                raise ApprovalRefused("The model used the id of an earlier call again.")
            self._chats.approvals[approval.id] = approval

    def load(self, approval: str) -> Approval:
        with self._chats.lock:
            return known(self._chats.approvals, approval)

    def of(self, run: str) -> Sequence[Approval]:
        with self._chats.lock:
            rows = [row for row in self._chats.approvals.values() if row.run == run]
            return sorted(rows, key=lambda row: (row.asked_at, row.id))

    def move(self, approval: Approval, *, was: ApprovalState) -> bool:
        refuse_illegal(was, approval.state)
        with self._chats.lock:
            stands = self._chats.approvals.get(approval.id)
            if stands is None or stands.state is not was or _asked(stands) != _asked(approval):
                return False
            self._chats.approvals[approval.id] = approval
            return True


def _asked(approval: Approval) -> tuple[str, ...]:
    return (approval.call_id, approval.arguments, approval.fingerprint)


class MemoryAllowances:
    """Fill `ports.Allowances`."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats

    def allows(self, conversation: str, scope: str) -> bool:
        return (conversation, scope) in self._chats.allowances

    def allow(self, conversation: str, scope: str) -> None:
        with self._chats.belonging_to(self._chats.conversations, conversation):
            self._chats.allowances.add((conversation, scope))


class MemoryPageSessions:
    """Fill `ports.PageSessions`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = count(1)
        self._rows: dict[str, tuple[PageSession, Secret, Secret]] = {}

    def add(self, cookie: Secret, key: Secret, label: str) -> None:
        now = self._now()
        session = PageSession(f"ses_{next(self._numbers)}", label, now, now)
        self._rows[session.id] = (session, cookie, key)

    def check(self, cookie: Secret, key: Secret | None) -> bool:
        for session, its_cookie, its_key in self._live():
            if its_cookie == cookie and (key is None or its_key == key):
                if self._now() - session.seen_at >= SEEN_STEP:
                    self._rows[session.id] = (session._replace(seen_at=self._now()), its_cookie, its_key)
                return True
        return False

    def revoke(self, session: str) -> None:
        self._rows.pop(session, None)

    def all(self) -> Sequence[PageSession]:
        return [session for session, _, _ in self._live()]

    def _live(self) -> Sequence[tuple[PageSession, Secret, Secret]]:
        return [row for row in list(self._rows.values()) if self._now() - row[0].created_at < LIFETIME]
