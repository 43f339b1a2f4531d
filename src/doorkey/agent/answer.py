"""One run being made: choose the account, let the model speak, pause for a person, and end in a state that is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from doorkey.agent.clerk import Clerk
from doorkey.agent.confinement import Confinement
from doorkey.agent.docket import Call, Docket, arguments_of
from doorkey.agent.faults import fault
from doorkey.agent.fence import Folder
from doorkey.agent.past import past_of
from doorkey.agent.tape import Tape
from doorkey.domain.account import Account
from doorkey.domain.approval import Approval, ApprovalState
from doorkey.domain.conversation import Conversation, EventKind, ModelName, Run, RunState, Served
from doorkey.errors import ApprovalRefused, DoorkeyError, UnknownName
from doorkey.service.listing import error_json
from doorkey.service.resolve import Choice, Wish
from doorkey.service.services import ChatStores, Services

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

    from doorkey.agent.toolset import FolderTools
    from doorkey.agent.turn import Turn


class Clients(Protocol):
    """Makes an HTTP client whose every request proves the chosen account, to its own origins only.

    The client is new and belongs to the caller, who closes it.
    """

    def async_client(self, choice: Choice, *, detail: str | None = None) -> "httpx2.AsyncClient": ...


BuildModel = Callable[[Choice, str, "httpx2.AsyncClient"], "Model"]
"""Makes the model of a name; called in a worker thread."""

Record = Callable[[Account, DoorkeyError], None]
"""Keeps what a provider's refusal says about an account; called in a worker thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every run is made with."""

    services: Services
    stores: ChatStores
    clients: Clients
    clerk: Clerk
    docket: Docket
    guarded: tuple[Path, ...]
    confinement: Confinement
    build_model: BuildModel
    record: Record


class Answer:
    """Makes one run, or what is left of it after a pause. `ending` is the state that a cancellation leaves it in."""

    def __init__(self, shop: Workshop, run: Run, tape: Tape) -> None:
        self.run = run
        self.ending = RunState.INTERRUPTED
        self.over = False
        self._shop = shop
        self._tape = tape
        self._choice: Choice | None = None
        self._turn: Turn | None = None

    async def make(self) -> None:
        """Answer the prompt to the end or to a pause; every fault ends up in the run, none comes out of here."""
        await self._guarded(self._begin)

    async def go_on(self) -> None:
        """Go on after a pause; whatever keeps it from going on leaves it waiting, its decisions kept."""
        await self._guarded(self._resume)

    async def end(self, state: RunState, error: DoorkeyError | None = None, *, keep: bool = True) -> None:
        """End the run in a state: its open calls closed, its messages kept, its listeners told."""
        self.over = True
        await self._note_served()
        rows = await self._shop.clerk.do(self._shop.docket.close, self.run.id, f"The answer was {state.value}.")
        self._tell_approvals(rows)
        ended = _with_error(replace(self.run, state=state, ended_at=self._shop.services.clock.now()), error)
        await self._save(_with_usage(ended, self._turn), self._turn.history() if self._turn and keep else None)
        self._tell_state(error)
        await self._tape.settle()
        self._tape.end()

    async def _guarded(self, work: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
        try:
            async with AsyncExitStack() as opened:
                await work(opened)
        except asyncio.CancelledError:
            # Nothing was done yet after a pause: the decisions are as good as they were.
            still_waits = self.run.state is RunState.WAITING and self.ending is RunState.INTERRUPTED
            await (self._wait() if still_waits else self.end(self.ending))
        # The one place where a run meets what nobody foresaw: it has to be told to the person, whatever it is.
        except Exception as error:  # noqa: BLE001
            await self._fail(self._fault(error))

    async def _begin(self, opened: AsyncExitStack) -> None:
        turn = await self._take_turn(opened)
        await self._until_answered(turn, await turn.begin(self.run.prompt))

    async def _resume(self, opened: AsyncExitStack) -> None:
        try:
            turn = await self._take_turn(opened)
        except Exception as error:  # noqa: BLE001 — told like any other, but nothing is lost yet.
            await self._wait(self._fault(error))
        else:
            await self._save(_with_error(replace(self.run, state=RunState.RUNNING), None))
            self._tell_state()
            self._tell_approvals(await self._shop.clerk.do(self._shop.docket.hand_over_denials, self.run.id))
            rows = await self._shop.clerk.do(self._shop.docket.of, self.run.id)
            await self._until_answered(turn, await turn.go_on(rows))

    async def _until_answered(self, turn: "Turn", calls: Sequence[Call]) -> None:
        while calls:
            rows = await self._shop.clerk.do(self._ask, turn.history(), calls)
            if any(row.state is ApprovalState.PENDING for row in rows):
                return await self._wait(asked=rows)
            self._tell_approvals(rows)
            calls = await turn.go_on(rows)
        return await self.end(RunState.DONE)

    def _ask(self, history: bytes | None, calls: Sequence[Call]) -> list[Approval]:
        """Keep the messages before the questions, so that whoever answers one can always go on from them."""
        self._shop.docket.refuse_repeats(self.run, calls)
        self._shop.stores.runs.save(self.run, history=history)
        return self._shop.docket.ask(self.run, calls)

    async def _wait(self, error: DoorkeyError | None = None, asked: Sequence[Approval] = ()) -> None:
        self.over = True
        await self._note_served()
        await self._save(_with_usage(_with_error(replace(self.run, state=RunState.WAITING), error), self._turn))
        self._tell_approvals(asked)
        self._tell_state(error)
        await self._tape.settle()

    def _fault(self, error: Exception) -> DoorkeyError:
        return fault(error, self._shop.services.clock.now())

    async def _fail(self, error: DoorkeyError) -> None:
        self.over = True
        if self._choice and self._choice.account:
            await asyncio.to_thread(self._shop.record, self._choice.account, error)
        if self._choice and self._turn and self.run.served:
            explain = self._shop.services.models.explain
            error = await asyncio.to_thread(explain, self._choice, self.run.served.model, error)
        # Calls that nobody can tell apart must not come before a model again.
        await self.end(RunState.FAILED, error, keep=not isinstance(error, ApprovalRefused))

    async def _take_turn(self, opened: AsyncExitStack) -> "Turn":
        """Get ready to talk to the model, with the account chosen anew; nothing has been done yet when this raises."""
        chat = await self._shop.clerk.do(self._shop.stores.conversations.load, self.run.conversation)
        model = await self._seat(chat, opened)
        turn = await asyncio.to_thread(_turn_class)
        tools = await asyncio.to_thread(self._open_folder, chat.folder) if chat.folder else None
        past = await self._shop.clerk.do(past_of, self._shop.stores, chat.id)
        self._turn = turn(model, tools, past, self._tape)
        return self._turn

    async def _seat(self, chat: Conversation, opened: AsyncExitStack) -> "Model":
        """Choose the account, make sure that it can serve, tell who serves, and make the model over it."""
        name = _model_of(self.run, chat)
        pinned = chat.account or (self.run.served.account if self.run.served else None)
        wish = Wish(provider=name.provider, pinned=pinned, folder=chat.folder, served_before=bool(chat.served_by))
        choice = self._choice = await asyncio.to_thread(self._shop.services.resolver.choose, wish)
        # Renews what has lapsed and finds a dead sign-in before anything is done in its name.
        detail = f"chat {chat.id}"
        await self._shop.services.sources.async_of(choice, detail).get()
        client = await asyncio.to_thread(self._shop.clients.async_client, choice, detail=detail)
        await opened.enter_async_context(client)
        model = await asyncio.to_thread(self._shop.build_model, choice, name.model, client)
        served = _served(choice, name.model)
        await self._save(replace(self.run, served=served))
        self._tape.add(EventKind.SERVED, _served_json(served))
        return model

    def _open_folder(self, path: str) -> "FolderTools":
        from doorkey.agent.toolset import FolderTools

        return FolderTools(Folder.open(path, guarded=self._shop.guarded), self._shop.confinement, self._once)

    async def _once(self, call: Call, work: Callable[[], Awaitable[str]]) -> str:
        """Run an approved call between two moves of its row, or give what it came to when it already ran."""
        row = await self._shop.clerk.do(self._shop.docket.begin, self.run.id, call)
        if row.state is ApprovalState.DONE:
            return row.result or ""
        self._tell_approvals([row])
        try:
            result = await work()
        except DoorkeyError as refusal:
            await self._finish(row, str(refusal))
            raise
        await self._finish(row, result)
        return result

    async def _finish(self, row: Approval, result: str) -> None:
        self._tell_approvals([await self._shop.clerk.do(self._shop.docket.finish, row, result)])

    async def _note_served(self) -> None:
        """Remember in the chat that an account has answered in it (rule 5)."""
        account = self._choice.account if self._choice else None
        if account and self._turn and self._turn.heard:
            await self._shop.clerk.do(self._save_served, account.id)

    def _save_served(self, account: str) -> None:
        chats = self._shop.stores.conversations
        chats.save(replace(chats.load(self.run.conversation), served_by=account))

    async def _save(self, run: Run, history: bytes | None = None) -> None:
        await self._shop.clerk.do(self._shop.stores.runs.save, run, history=history)
        self.run = run

    def _tell_approvals(self, rows: Sequence[Approval]) -> None:
        for row in rows:
            self._tape.add(EventKind.APPROVAL, approval_json(row))

    def _tell_state(self, error: DoorkeyError | None = None) -> None:
        told = error_json(error) if error else {}
        self._tape.add(EventKind.STATE, {"state": self.run.state.value} | told)


def approval_json(row: Approval) -> dict[str, object]:
    """Describe a call that a person decides, and where it is."""
    return {
        "approval": row.id,
        "call_id": row.call_id,
        "tool": row.tool,
        "arguments": arguments_of(row),
        "note": row.note,
        "state": row.state.value,
    }


def _turn_class() -> "type[Turn]":
    """Import pydantic-ai, which takes a second: in a worker thread, for the first run."""
    from doorkey.agent.turn import Turn

    return Turn


def _model_of(run: Run, chat: Conversation) -> ModelName:
    """Return the model that answers: the one that began this run, else the chat's."""
    if run.served:
        return ModelName(provider=run.served.provider, model=run.served.model)
    name = ModelName.parse(chat.model or "")
    if name is None:
        raise UnknownName("No model is chosen for this chat.", hint="Choose a model above the prompt.")
    return name


def _served(choice: Choice, model: str) -> Served:
    return Served(
        provider=choice.provider.id,
        model=model,
        method=choice.method.id,
        payer=choice.payer,
        account=choice.account.id if choice.account else None,
        label=choice.label,
        source=choice.source,
    )


def _served_json(served: Served) -> dict[str, object]:
    return {
        "provider": served.provider,
        "model": served.model,
        "account": served.account,
        "label": served.label,
        "method": served.method,
        "payer": served.payer.value,
        "source": served.source,
    }


def _with_error(run: Run, error: DoorkeyError | None) -> Run:
    if error is None:
        return replace(run, error=None, message=None, hint=None)
    return replace(run, error=error.code, message=str(error), hint=error.hint)


def _with_usage(run: Run, turn: "Turn | None") -> Run:
    """Add what this stretch of the run has used to what earlier ones did."""
    if turn is None or not turn.usage.requests:
        return run
    used = turn.usage
    return replace(
        run, tokens_in=(run.tokens_in or 0) + used.input_tokens, tokens_out=(run.tokens_out or 0) + used.output_tokens
    )
