"""Following an answer on the terminal: events are told as they come, and the person is asked between them.

Questions are asked while no event loop runs, so that Ctrl-C reaches the question and not a task.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Protocol, Self

from doorkey.cli import failures
from doorkey.cli.accounts import payer
from doorkey.cli.columns import cells, fit, pieces
from doorkey.cli.io import Io, Style, exact, printable
from doorkey.domain.approval import Approval, ApprovalState, Decision
from doorkey.domain.conversation import Event, EventKind, Run, RunState
from doorkey.errors import ApprovalRefused, DoorkeyError
from doorkey.ports import Approvals

DECISIONS = {"o": Decision.ONCE, "once": Decision.ONCE, "c": Decision.CHAT, "chat": Decision.CHAT, "d": Decision.DENY}
NOBODY = "Nobody is at the terminal to approve this."


class Engine(Protocol):
    """What the terminal uses of the chat's engine."""

    async def start(self, conversation_id: str, prompt: str) -> Run: ...
    def subscribe(self, run_id: str, after: int) -> AsyncIterator[Event]: ...
    async def decide(self, approval_id: str, decision: Decision, reason: str | None = None) -> None: ...
    async def stop(self, run_id: str) -> None: ...
    async def close(self) -> None: ...


class Talk:
    """One chat in a terminal; leave it with a `with` block, which ends what still runs."""

    def __init__(self, conversation: str, io: Io, approvals: Approvals, engine: Callable[[], Engine]) -> None:
        self._conversation = conversation
        self._io = io
        self._approvals = approvals
        self._make = engine
        self._loop = asyncio.Runner()
        self._line_open = False
        self._served = ""

    def __enter__(self) -> Self:
        self._engine = self._loop.run(self._made())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._engine.close())
        self._loop.close()

    def answer(self, prompt: str) -> None:
        """Print the answer to a prompt as it comes, asking for approvals on the way.

        Raises what ended it; ApprovalRefused where a call needed a yes and nobody was there to give it.
        """
        run = self._loop.run(self._engine.start(self._conversation, prompt))
        try:
            asked_nobody = self._to_the_end(run.id)
        except DoorkeyError:
            # The run has told its own end, or waits to go on after a sign-in.
            raise
        except BaseException:
            self._loop.run(self._engine.stop(run.id))
            raise
        finally:
            self._end_line()
        if asked_nobody:
            raise ApprovalRefused(NOBODY, hint="Run this in a terminal, or ask in the app.")

    def _to_the_end(self, run_id: str) -> bool:
        after, asked_nobody = 0, False
        while True:
            last = self._loop.run(self._follow(run_id, after))
            if last.body.get("state") != RunState.WAITING:
                _raise_failure(last.body)
                return asked_nobody
            after = last.number
            pending = [each for each in self._approvals.of(run_id) if each.state is ApprovalState.PENDING]
            if not pending:
                _raise_failure(last.body)
            for approval in pending:
                asked_nobody = asked_nobody or not self._io.interactive
                self._loop.run(self._engine.decide(approval.id, *self._ask(approval)))

    async def _made(self) -> Engine:
        return self._make()

    async def _follow(self, run_id: str, after: int) -> Event:
        """Tell events until the run ends or waits; the last is returned."""
        async for event in self._engine.subscribe(run_id, after):
            self._tell(event)
            if event.kind is EventKind.STATE and event.body.get("state") != RunState.RUNNING:
                return event
        raise RuntimeError("The events of a run ended without its end.")

    def _tell(self, event: Event) -> None:
        body: Mapping[str, Any] = event.body
        if event.kind is EventKind.TEXT:
            self._io.write(printable(body["text"]) if self._io.stdout.isatty() else body["text"])
            self._line_open = not body["text"].endswith("\n")
        elif event.kind is EventKind.SERVED:
            self._tell_who(f"{body['provider']}:{body['model']} · {body['label']} · {payer(body['payer'], None)}")
        elif event.kind is EventKind.CALL:
            self._aside(f"→ {exact(body['tool'])} {_subject(body['arguments'])}".rstrip())
        elif event.kind is EventKind.RESULT:
            first = next(iter(body["text"].splitlines()), "")
            self._aside(f"{'✓' if body['ok'] else '✗'} {printable(first)[:200]}")

    def _tell_who(self, served: str) -> None:
        """Say who answers and who pays, when that is news."""
        if served != self._served:
            self._served = served
            self._aside(printable(served))

    def _ask(self, approval: Approval) -> tuple[Decision, str | None]:
        """Show exactly what would be done, and take the person's decision; no answer is a no."""
        self._end_line()
        if not self._io.interactive:
            return Decision.DENY, NOBODY
        self._io.say(f"\nThe model asks to use {self._io.paint(exact(approval.tool), Style.BOLD)}:")
        for name, value in json.loads(approval.arguments).items():
            for line in argument(name, value, self._io.width):
                self._io.show(f"  {line}")
        if approval.note:
            self._io.say(self._io.paint(f"  {printable(approval.note)}", Style.WARN))
        try:
            return self._decision()
        except EOFError:
            return Decision.DENY, None

    def _decision(self) -> tuple[Decision, str | None]:
        while True:
            answer = self._io.prompter.line("Allow [o]nce, in this [c]hat, or [d]eny? ").strip().lower()
            if decision := DECISIONS.get(answer):
                why = self._io.prompter.line("Why not (for the model, may be empty)? ") if answer == "d" else ""
                return decision, why.strip() or None

    def _aside(self, text: str) -> None:
        self._end_line()
        self._io.say(self._io.paint(text, Style.DIM))

    def _end_line(self) -> None:
        """Finish a line of the answer before something else is said."""
        if self._line_open:
            self._io.write("\n")
            self._line_open = False


def argument(name: str, value: object, width: int) -> Iterator[str]:
    """Show one argument exactly; every line of a long one is fenced, so that it cannot pass for our own words."""
    text = exact(value if isinstance(value, str) else json.dumps(value))
    if "\n" not in text and cells(name + text) <= width - 4:
        yield f"{exact(name)}: {text}"
        return
    yield f"{exact(name)}:"
    for line in text.split("\n"):
        first, *rest = pieces(line, width - 4)
        yield f"│ {first}"
        yield from (f"┆ {piece}" for piece in rest)


def _subject(arguments: Mapping[str, Any]) -> str:
    """Say what a call is about, on part of a line."""
    subject = next((arguments[name] for name in ("command", "pattern", "path") if arguments.get(name)), "")
    return fit(exact(str(subject)).replace("\n", " "), 60).rstrip()


def _raise_failure(body: Mapping[str, Any]) -> None:
    if code := body.get("error"):
        raise failures.of_code(code, body.get("message") or "The answer could not be made.", body.get("hint"))
