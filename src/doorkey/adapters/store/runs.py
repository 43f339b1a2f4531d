"""The answers of a chat: their model messages, their numbered events, and the wish to end one."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from doorkey.adapters.store.columns import as_json, moment_or_none, stamp, stamp_or_none
from doorkey.adapters.store.database import Database, Value
from doorkey.domain.conversation import LIVE, Event, EventKind, Run, RunState, Served
from doorkey.domain.provider import Payer
from doorkey.errors import UnknownName

_SAVE = """
INSERT INTO runs (id, conversation, prompt, started_at, state, ended_at, served, error, message, hint, tokens_in,
    tokens_out)
VALUES (:id, :conversation, :prompt, :started_at, :state, :ended_at, :served, :error, :message, :hint, :tokens_in,
    :tokens_out)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, served = excluded.served,
    error = excluded.error, message = excluded.message, hint = excluded.hint, tokens_in = excluded.tokens_in,
    tokens_out = excluded.tokens_out
"""
_SAVE_HISTORY = """
INSERT INTO histories (run, messages) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET messages = excluded.messages
"""
# Finds the next number and takes it; one writer at a time, so that two never share one.
_APPEND = """
INSERT INTO events (run, number, kind, body)
SELECT :run, coalesce(max(number), 0) + 1, :kind, :body FROM events WHERE run = :run
RETURNING number
"""


class SqlRuns:
    """Fill `ports.Runs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, conversation: str) -> Sequence[Run]:
        sql = "SELECT * FROM runs WHERE conversation = ? ORDER BY started_at, id"
        return [_run(dict(row)) for row in self._database.rows(sql, (conversation,))]

    def load(self, run: str) -> Run:
        for row in self._database.rows("SELECT * FROM runs WHERE id = ?", (run,)):
            return _run(dict(row))
        raise UnknownName("There is no such answer.")

    def save(self, run: Run, *, history: bytes | None = None) -> None:
        with self._database.transaction(f"run {run.id}"):
            self._database.rows(_SAVE, _row(run))
            if history is not None:
                self._database.rows(_SAVE_HISTORY, (run.id, history))

    def begin(self, run: Run) -> bool:
        live = "SELECT 1 FROM runs WHERE conversation = ? AND state IN (?, ?)"
        with self._database.transaction(f"chat {run.conversation}"):
            if self._database.rows(live, (run.conversation, *sorted(LIVE))):
                return False
            self._database.rows(_SAVE, _row(run))
        return True

    def history(self, run: str) -> bytes | None:
        rows = self._database.rows("SELECT messages FROM histories WHERE run = ?", (run,))
        return rows[0]["messages"] if rows else None


class SqlEvents:
    """Fill `ports.Events`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, run: str, kind: EventKind, body: Mapping[str, object]) -> Event:
        values = {"run": run, "kind": kind, "body": json.dumps(dict(body))}
        with self._database.transaction(f"events {run}"):
            (row,) = self._database.rows(_APPEND, values)
        return Event(run, row["number"], kind, body)

    def since(self, run: str, number: int) -> Sequence[Event]:
        sql = "SELECT * FROM events WHERE run = ? AND number > ? ORDER BY number"
        rows = self._database.rows(sql, (run, number))
        return [Event(run, row["number"], EventKind(row["kind"]), json.loads(row["body"])) for row in rows]


class SqlStops:
    """Fill `ports.Stops`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, run: str) -> None:
        self._database.rows("INSERT INTO stops (run) VALUES (?) ON CONFLICT DO NOTHING", (run,))

    def asked(self, run: str) -> bool:
        return bool(self._database.rows("SELECT 1 FROM stops WHERE run = ?", (run,)))


def _row(run: Run) -> dict[str, Value]:
    return {
        "id": run.id,
        "conversation": run.conversation,
        "prompt": run.prompt,
        "started_at": stamp(run.started_at),
        "state": run.state,
        "ended_at": stamp_or_none(run.ended_at),
        "served": None if run.served is None else as_json(run.served),
        "error": run.error,
        "message": run.message,
        "hint": run.hint,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
    }


def _run(fields: dict[str, Any]) -> Run:
    read = {
        "started_at": datetime.fromisoformat(fields["started_at"]),
        "state": RunState(fields["state"]),
        "ended_at": moment_or_none(fields["ended_at"]),
        "served": None if fields["served"] is None else read_served(json.loads(fields["served"])),
    }
    return Run(**(fields | read))


def read_served(fields: dict[str, Any]) -> Served:
    """Read who served an answer from its column."""
    return Served(**(fields | {"payer": Payer(fields["payer"])}))
