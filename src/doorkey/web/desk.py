"""What the pages are handed: the services, the stores, the engine that answers, and the gate that lets people in."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from anyio import from_thread

from doorkey.domain.approval import Decision
from doorkey.domain.conversation import Event, Run
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.service.services import ChatStores, Services

Result = TypeVar("Result")


class Engine(Protocol):
    """Makes answers; it lives in the event loop, and an answer goes on without any page."""

    async def start(self, conversation_id: str, prompt: str) -> Run: ...
    async def stop(self, run_id: str) -> object: ...
    async def decide(self, approval_id: str, decision: Decision, reason: str | None = None) -> object: ...
    async def resume(self, run_id: str) -> object: ...
    async def retry(self, run_id: str) -> Run: ...
    def subscribe(self, run_id: str, after: int) -> AsyncIterator[Event]:
        """Give the events after a number, stored ones first, then live ones, up to the one that ends the run."""
        ...


class Gate(Protocol):
    """Lets a browser in once."""

    def redeem(self, token: str) -> Secret | None:
        """Return the session key that was made with this launch token; None where it is wrong, old or used."""
        ...


class Lock(Protocol):
    """Says whether the vault opens, and opens one that is closed with a passphrase."""

    @property
    def wait(self) -> timedelta: ...
    def problem(self) -> KeyUnreadable | None: ...
    def unlock(self, passphrase: Secret) -> None: ...


Preview = Callable[[str, str, str], str | None]
"""Shows what writing a content to a path in a folder would change; None where that is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that a handler works with.

    `folder_check` turns what a person typed into the folder's true path; raises FolderRefused.
    """

    services: Services
    stores: ChatStores
    engine: Engine
    gate: Gate
    lock: Lock
    version: str
    folder_check: Callable[[str], str]
    preview: Preview


def in_the_loop(call: Callable[..., Coroutine[Any, Any, Result]], *arguments: object) -> Result:
    """Call the engine from a handler, which runs in a worker thread."""
    return from_thread.run(call, *arguments)
