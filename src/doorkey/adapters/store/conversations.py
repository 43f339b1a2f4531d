"""The chats themselves; deleting one takes its runs, events, approvals and allowances along."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database, Value
from doorkey.domain.conversation import Conversation
from doorkey.errors import UnknownName

_SAVE = """
INSERT INTO conversations (id, title, created_at, updated_at, model, account, folder, served_by)
VALUES (:id, :title, :created_at, :updated_at, :model, :account, :folder, :served_by)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, updated_at = excluded.updated_at, model = excluded.model,
    account = excluded.account, folder = excluded.folder, served_by = excluded.served_by
"""
_TIMES = ("created_at", "updated_at")


class SqlConversations:
    """Fill `ports.Conversations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Sequence[Conversation]:
        rows = self._database.rows("SELECT * FROM conversations ORDER BY updated_at DESC, id")
        return [_conversation(dict(row)) for row in rows]

    def load(self, conversation: str) -> Conversation:
        for row in self._database.rows("SELECT * FROM conversations WHERE id = ?", (conversation,)):
            return _conversation(dict(row))
        raise UnknownName("There is no such chat.", hint="Choose one from the list of chats.")

    def save(self, conversation: Conversation) -> None:
        times: dict[str, Value] = {name: stamp(getattr(conversation, name)) for name in _TIMES}
        self._database.rows(_SAVE, asdict(conversation) | times)

    def delete(self, conversation: str) -> None:
        self._database.rows("DELETE FROM conversations WHERE id = ?", (conversation,))


def _conversation(fields: dict[str, Any]) -> Conversation:
    times = {name: datetime.fromisoformat(fields[name]) for name in _TIMES}
    return Conversation(**(fields | times))
