"""What was served: who came with which kind of credential and how it ended, never a token."""

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Note:
    """One request, filled in while it is served. `at` is in epoch seconds."""

    at: float
    endpoint: str
    action: str | None = None
    client: str | None = None
    account: str | None = None
    credential: str | None = None
    outcome: str = "ok"
    fault: str | None = None


class Log:
    """The last notes, in the order in which they were served."""

    def __init__(self) -> None:
        self._notes: deque[Note] = deque(maxlen=10_000)
        self._lock = threading.Lock()

    def add(self, note: Note) -> None:
        """Append a note."""
        with self._lock:
            self._notes.append(note)

    @property
    def notes(self) -> list[Note]:
        """List the notes, oldest first."""
        with self._lock:
            return list(self._notes)

    def count(self, **fields: str | None) -> int:
        """Count the notes whose fields have all these values: `log.count(action="refresh_token", outcome="ok")`."""
        return sum(all(getattr(note, name) == value for name, value in fields.items()) for note in self.notes)

    def clear(self) -> None:
        """Forget every note."""
        with self._lock:
            self._notes.clear()
