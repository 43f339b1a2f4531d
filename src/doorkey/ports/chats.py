"""What we need of the chat store: conversations with their answers, approvals, the audit, and who may use the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from doorkey.domain.approval import Approval, ApprovalState
from doorkey.domain.audit import Entry
from doorkey.domain.conversation import Conversation, Event, EventKind, Run
from doorkey.domain.secret import Secret
from doorkey.domain.usage import Usage
from doorkey.domain.window import Window


class Preferences(Protocol):
    """What the app remembers for the person, in clear text: last model, folder, theme."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...


class Conversations(Protocol):
    """Chats, newest first."""

    def all(self) -> Sequence[Conversation]: ...
    def load(self, conversation: str) -> Conversation: ...
    def save(self, conversation: Conversation) -> None: ...
    def delete(self, conversation: str) -> None: ...


class Runs(Protocol):
    """The answers of a conversation, oldest first, with the model messages that the next one builds on."""

    def of(self, conversation: str) -> Sequence[Run]: ...
    def load(self, run: str) -> Run: ...
    def begin(self, run: Run) -> bool:
        """Keep a new one, where none of its conversation is live yet; else return False."""
        ...

    def save(self, run: Run, *, history: bytes | None = None) -> None:
        """Keep a run; `history` (all model messages up to here, JSON) replaces the former where it is given."""
        ...

    def history(self, run: str) -> bytes | None: ...


class Stops(Protocol):
    """Answers that somebody wants to end; whoever makes one looks here."""

    def ask(self, run: str) -> None: ...
    def asked(self, run: str) -> bool: ...


class Ledger(Protocol):
    """What the answers of all chats have used."""

    def usage(self, since: datetime | None = None) -> Sequence[Usage]:
        """Sum what was used from a moment on; what belonged to a deleted chat is gone with it."""
        ...


class Audit(Protocol):
    """Who did what with which account: only ever added to, the oldest dropped; never a secret in it."""

    def record(self, *entries: Entry) -> None: ...
    def touch(self, uses: Mapping[str, datetime]) -> None:
        """Move the last use of accounts on; `record` does not."""
        ...

    def read(self, limit: int, account: str | None = None) -> Sequence[Entry]:
        """Return the newest first."""
        ...

    def last_uses(self) -> Mapping[str, datetime]: ...


class Readings(Protocol):
    """The last that was read of each account's windows."""

    def keep(self, account: str, windows: Sequence[Window]) -> None:
        """Keep readings, each in place of an older one of the same name; one that is older than it is left out."""
        ...

    def all(self) -> Mapping[str, Sequence[Window]]:
        """Return what is kept by account, windows by name."""
        ...

    def forget(self, account: str) -> None: ...


class Events(Protocol):
    """The numbered events of runs, from 1, without gaps."""

    def append(self, run: str, kind: EventKind, body: Mapping[str, object]) -> Event: ...
    def since(self, run: str, number: int) -> Sequence[Event]: ...


class Approvals(Protocol):
    """Tool calls that wait for a person; every move is checked, so that an approval is used once (rule 12)."""

    def add(self, approval: Approval) -> None:
        """Raise ApprovalRefused when the run already has a call of this id."""
        ...

    def load(self, approval: str) -> Approval: ...
    def of(self, run: str) -> Sequence[Approval]: ...
    def move(self, approval: Approval, *, was: ApprovalState) -> bool:
        """Keep it where its state is still `was`, else return False."""
        ...


class Allowances(Protocol):
    """What the person allowed for a whole chat: a tool with its path, or exactly one command."""

    def allows(self, conversation: str, scope: str) -> bool: ...
    def allow(self, conversation: str, scope: str) -> None: ...


class PageSessions(Protocol):
    """Browser sessions of the local page: stored hashed, for 30 days, listed and revocable."""

    def add(self, cookie: Secret, key: Secret, label: str) -> None: ...
    def check(self, cookie: Secret, key: Secret | None) -> bool:
        """Whether the cookie is a live session's and, where it is given, the key is that session's too."""
        ...

    def revoke(self, session: str) -> None: ...
    def all(self) -> Sequence["PageSession"]: ...


class PageSession(NamedTuple):
    """One browser that may use the page."""

    id: str
    label: str
    created_at: datetime
    seen_at: datetime
