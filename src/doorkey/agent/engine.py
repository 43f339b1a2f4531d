"""The chat's engine: starts, stops and resumes runs, each in a task of its own, and lets anybody listen to them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doorkey.agent.answer import Answer, BuildModel, Clients, Record, Workshop, approval_json
from doorkey.agent.claims import Claims
from doorkey.agent.clerk import Clerk
from doorkey.agent.confinement import Confinement, detect
from doorkey.agent.docket import Docket
from doorkey.agent.tape import Tape
from doorkey.domain.account import Account
from doorkey.domain.approval import Approval, ApprovalState, Decision
from doorkey.domain.conversation import LIVE, Event, EventKind, Run, RunState
from doorkey.errors import ApprovalRefused, DoorkeyError, Temporary
from doorkey.service.resolve import Choice
from doorkey.service.services import ChatStores, Services

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

logger = logging.getLogger(__name__)

HEED = timedelta(milliseconds=500)
"""How often we look whether somebody wants to end what we make."""

PAUSE = timedelta(milliseconds=100)
PATIENCE = timedelta(seconds=5)
"""How long a stop waits for whoever makes the answer."""

TITLE = 60
"""The most characters of a chat's title."""


@dataclass(frozen=True, slots=True)
class _Live:
    answer: Answer
    task: asyncio.Task[None]


def _build_model(choice: Choice, model_name: str, client: "httpx2.AsyncClient") -> "Model":
    from doorkey.agent.models import build

    return build(choice, model_name, client)


def _keep_nothing(account: Account, error: DoorkeyError) -> None:
    """Leave the account's standing to whoever proves it next."""


class Engine:
    """Makes the answers of all chats; it belongs to one event loop.

    Call `recover` once at the start and `close` at the end. Other programs answer the same chats, on this machine and
    on others; each run is made by the one that holds its claim.
    """

    def __init__(
        self,
        services: Services,
        stores: ChatStores,
        clients: Clients,
        guarded: Sequence[Path],
        *,
        confinement: Confinement | None = None,
        build_model: BuildModel = _build_model,
        record: Record = _keep_nothing,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._stores = stores
        self._clock = services.clock
        self._entropy = services.entropy
        self._clerk = Clerk()
        self._claims = Claims(stores.claims, self._clerk, self._lose)
        self._docket = Docket(stores, services.clock, services.entropy)
        self._shop = Workshop(
            services=services,
            stores=stores,
            clients=clients,
            clerk=self._clerk,
            docket=self._docket,
            guarded=tuple(guarded),
            confinement=confinement or detect({}),
            build_model=build_model,
            record=record,
        )
        self._live: dict[str, _Live] = {}
        self._tapes: dict[str, Tape] = {}
        self._heeding: asyncio.Task[None] | None = None
        self._patience = patience
        # What changes whether a chat has a live run happens one after the other, chat by chat.
        self._gates: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self, conversation_id: str, prompt: str) -> Run:
        """Begin to answer a prompt; it is stored first, and whatever goes wrong after that is told by the run.

        Raises UnknownName without such a chat, and Temporary while another answer of this chat is live.
        """
        async with self._gates[conversation_id]:
            run_id = f"run_{self._entropy.bytes(12).hex()}"
            # Claimed before it is stored, so that nobody takes it for left behind.
            await self._claims.take(run_id)
            try:
                run = await self._clerk.do(self._store_prompt, run_id, conversation_id, prompt)
            except DoorkeyError:
                self._claims.drop(run_id)
                raise
            answer = self._answer(run)
            self._launch(answer, answer.make())
        return run

    async def retry(self, run_id: str) -> Run:
        """Ask the same once more, in a new run."""
        run = await self._clerk.do(self._stores.runs.load, run_id)
        return await self.start(run.conversation, run.prompt)

    async def subscribe(self, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Give the events of a run after a number, stored ones first, each once and in order.

        Ends after the last event of the run, whoever makes it; while it waits for a person, this waits too.
        """
        tape = self._tapes.get(run_id) or await self._tape_of(run_id)
        async for event in tape.follow(after, partial(self._rescue, run_id)):
            yield event
        if run_id not in self._live:
            self._tapes.pop(run_id, None)

    async def decide(self, approval_id: str, decision: Decision, reason: str | None = None) -> Approval:
        """Record what the person chose; the run goes on when its last question is answered.

        Raises ApprovalRefused when this call was decided before, or its run has ended.
        """
        asked = await self._clerk.do(self._stores.approvals.load, approval_id)
        async with self._gates[asked.conversation]:
            row = await self._clerk.do(self._docket.decide, approval_id, decision, reason)
            run = await self._clerk.do(self._stores.runs.load, row.run)
            self._tape(run.id).add(EventKind.APPROVAL, approval_json(row))
            rows = await self._clerk.do(self._docket.of, run.id)
            if all(row.state is not ApprovalState.PENDING for row in rows):
                await self._go_on(run)
        return row

    async def resume(self, run_id: str) -> Run:
        """Go on with a run whose questions are all answered, after a sign-in or a restart.

        Raises ApprovalRefused for a run that does not wait, or still waits for a decision.
        """
        run = await self._clerk.do(self._stores.runs.load, run_id)
        async with self._gates[run.conversation]:
            run = await self._clerk.do(self._stores.runs.load, run_id)
            rows = await self._clerk.do(self._docket.of, run_id)
            if run.state is not RunState.WAITING:
                raise ApprovalRefused("This answer does not wait for anything.", hint="Look at the chat again.")
            if any(row.state is ApprovalState.PENDING for row in rows):
                raise ApprovalRefused("A call still waits to be decided.", hint="Allow or deny it.")
            await self._go_on(run)
        return run

    async def stop(self, run_id: str) -> Run:
        """End a run now, whoever makes it; what it has said so far is kept. A run that has ended is left as it is.

        Raises Temporary where its maker does not answer; the run ends as soon as it does.
        """
        run = await self._clerk.do(self._stores.runs.load, run_id)
        async with self._gates[run.conversation]:
            live = self._live.get(run_id)
            if live is not None:
                await self._cancel(live, RunState.STOPPED)
            for _ in range(self._patience // PAUSE):
                run = await self._clerk.do(self._stores.runs.load, run_id)
                if run.state not in LIVE or await self._stop_unmade(run_id):
                    return await self._clerk.do(self._stores.runs.load, run_id)
                await self._clerk.do(self._stores.stops.ask, run_id)
                await asyncio.sleep(PAUSE.total_seconds())
        raise Temporary("Whoever makes this answer does not react just now.", hint="It is stopped as soon as they do.")

    async def recover(self) -> None:
        """Put in order what a process left behind that ended without saying so.

        Its running answers become INTERRUPTED, or wait again where a call is still open: one that was running then
        asks the person once more.
        """
        for run in await self._clerk.do(self._left_behind):
            await self._rescue(run.id)

    async def close(self) -> None:
        """End everything that is live as INTERRUPTED, with its text kept; what waits for a person stays."""
        if self._heeding is not None:
            self._heeding.cancel()
        await asyncio.gather(*(self._cancel(live, RunState.INTERRUPTED) for live in list(self._live.values())))
        for tape in self._tapes.values():
            await tape.settle()
            tape.end()
        await self._claims.close()
        self._clerk.close()

    async def warm(self) -> None:
        """Import what the first run needs, beside whatever else the loop does."""
        await asyncio.to_thread(__import__, "doorkey.agent.turn")

    def _store_prompt(self, run_id: str, conversation_id: str, prompt: str) -> Run:
        chat = self._stores.conversations.load(conversation_id)
        earlier = self._stores.runs.of(conversation_id)
        now = self._clock.now()
        run = Run(id=run_id, conversation=conversation_id, prompt=prompt, started_at=now)
        if not self._stores.runs.begin(run):
            raise Temporary(
                "An answer of this chat is not finished yet.", hint="Wait for it, decide what it asks, or stop it."
            )
        title = chat.title if earlier else title_of(prompt)
        self._stores.conversations.save(replace(chat, title=title, updated_at=now))
        return run

    def _left_behind(self) -> list[Run]:
        chats = self._stores.conversations.all()
        return [run for chat in chats for run in self._stores.runs.of(chat.id) if run.state is RunState.RUNNING]

    async def _rescue(self, run_id: str) -> None:
        """Set a run right that says it is being made, where nobody makes it any more."""
        if run_id in self._live or not await self._clerk.do(self._is_running, run_id):
            return
        if await self._claims.take(run_id):
            try:
                # Its maker may have ended it just before we claimed it.
                if await self._clerk.do(self._is_running, run_id):
                    await self._tell_right(*await self._clerk.do(self._set_right, run_id))
            finally:
                self._claims.drop(run_id)

    async def _stop_unmade(self, run_id: str) -> bool:
        """End a run that nobody makes, as it waits for a person or its maker died; False where somebody does."""
        if not await self._claims.take(run_id):
            return False
        try:
            run = await self._clerk.do(self._stores.runs.load, run_id)
            # Its maker may have ended it just before we claimed it.
            if run.state in LIVE:
                await self._answer(run).end(RunState.STOPPED)
                self._tapes.pop(run_id, None)
        finally:
            self._claims.drop(run_id)
        return True

    async def _tell_right(self, run: Run, reopened: Sequence[Approval]) -> None:
        tape = self._tape(run.id)
        for row in reopened:
            tape.add(EventKind.APPROVAL, approval_json(row))
        tape.add(EventKind.STATE, {"state": run.state.value})
        await tape.settle()
        if run.state is not RunState.WAITING:
            self._drop(run.id)

    def _is_running(self, run_id: str) -> bool:
        return self._stores.runs.load(run_id).state is RunState.RUNNING

    def _set_right(self, run_id: str) -> tuple[Run, Sequence[Approval]]:
        run = self._stores.runs.load(run_id)
        reopened = self._docket.reopen(run.id)
        if self._docket.open(run.id):
            run = replace(run, state=RunState.WAITING)
        else:
            run = replace(run, state=RunState.INTERRUPTED, ended_at=self._clock.now())
        self._stores.runs.save(run)
        return run, reopened

    async def _go_on(self, run: Run) -> None:
        live = self._live.get(run.id)
        if live is not None:
            # It has stored that it waits and is about to leave.
            await asyncio.wait([live.task])
        # Another program may be about to leave it, or may go on with it, as far as the next question or the end.
        claimed = await self._claims.wait(run.id, while_=partial(self._is_decided, run.id))
        if claimed and await self._clerk.do(self._is_decided, run.id):
            answer = self._answer(run)
            self._launch(answer, answer.go_on())
        elif claimed:
            self._claims.drop(run.id)

    def _is_decided(self, run_id: str) -> bool:
        waits = self._stores.runs.load(run_id).state is RunState.WAITING
        return waits and all(row.state is not ApprovalState.PENDING for row in self._docket.of(run_id))

    async def _lose(self, run_id: str) -> None:
        """Stop making a run that another program has taken over."""
        live = self._live.get(run_id)
        if live is not None:
            await self._cancel(live, RunState.INTERRUPTED)

    def _answer(self, run: Run) -> Answer:
        return Answer(self._shop, run, self._tape(run.id))

    def _launch(self, answer: Answer, work: Coroutine[None, None, None]) -> None:
        run_id = answer.run.id
        task = asyncio.create_task(work, name=run_id)
        self._live[run_id] = _Live(answer, task)
        task.add_done_callback(lambda ended: self._leave(answer, ended))
        if self._heeding is None or self._heeding.done():
            self._heeding = asyncio.create_task(self._heed())

    async def _heed(self) -> None:
        """Stop what somebody asked another program to stop, as long as we make anything."""
        while self._live:
            await asyncio.sleep(HEED.total_seconds())
            for run_id, live in list(self._live.items()):
                if await self._clerk.do(self._is_unwanted, run_id):
                    await self._cancel(live, RunState.STOPPED)

    def _is_unwanted(self, run_id: str) -> bool:
        with suppress(DoorkeyError):  # Not known: asked again in a moment.
            return self._stores.stops.asked(run_id)
        return False

    def _leave(self, answer: Answer, ended: asyncio.Task[None]) -> None:
        run = answer.run
        del self._live[run.id]
        self._claims.drop(run.id)
        if run.state is not RunState.WAITING:
            self._drop(run.id)
        if not ended.cancelled() and (error := ended.exception()):
            # Its end could not be stored; `recover` puts that right.
            logger.error("The end of a run could not be stored: %s", type(error).__name__)

    def _drop(self, run_id: str) -> None:
        self._tapes.pop(run_id).end()

    async def _cancel(self, live: _Live, ending: RunState) -> None:
        # One that is over is only storing its end, which must not be cut short.
        if not live.answer.over and not live.task.cancelling():
            live.answer.ending = ending
            live.task.cancel()
        await asyncio.wait([live.task])

    def _tape(self, run_id: str) -> Tape:
        return self._tapes.setdefault(run_id, Tape(run_id, self._stores.events, self._clerk))

    async def _tape_of(self, run_id: str) -> Tape:
        """Return the tape of a run that may go on here, else one that has ended."""
        run = await self._clerk.do(self._stores.runs.load, run_id)
        if run_id in self._tapes or run.state in LIVE:
            return self._tape(run_id)
        tape = Tape(run_id, self._stores.events, self._clerk)
        tape.end()
        return tape


def title_of(prompt: str) -> str:
    """Name a chat after its first prompt: the first line that says something, cut at a word."""
    line = next((line.strip() for line in prompt.splitlines() if line.strip()), "New chat")
    if len(line) <= TITLE:
        return line
    return f"{line[: TITLE - 1].rsplit(maxsplit=1)[0]}…"
