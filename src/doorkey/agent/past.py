"""What was said in a chat before a run: the messages that were kept, and what a crash cut off after them."""

from dataclasses import dataclass

from doorkey.domain.conversation import EventKind, RunState
from doorkey.service.services import ChatStores


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages that were kept (JSON), and the prompts and partial answers that came after them."""

    history: bytes | None
    cut_off: tuple[tuple[str, str], ...] = ()


def past_of(stores: ChatStores, conversation: str) -> Past:
    """Read a chat's past: a run's own messages after a pause, else those of the run before it that has some.

    A process that dies keeps no messages of its run, but its events: their text stands in.
    """
    cut_off: list[tuple[str, str]] = []
    for run in reversed(stores.runs.of(conversation)):
        history = stores.runs.history(run.id)
        if history is not None:
            return Past(history, tuple(reversed(cut_off)))
        if run.state is RunState.INTERRUPTED and (text := _said(stores, run.id)):
            cut_off.append((run.prompt, text))
    return Past(None, tuple(reversed(cut_off)))


def _said(stores: ChatStores, run: str) -> str:
    return "".join(str(event.body["text"]) for event in stores.events.since(run, 0) if event.kind is EventKind.TEXT)
