"""Drive a flow in asyncio: waiting never blocks the loop, and what must not be lost goes on in a thread."""

import asyncio
from typing import Any

from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.flows.steps import Detach, Flow, Now, Random, Result, Sleep, Step

# Answered at once, in the loop; every other step may touch a disk or the network and goes to a worker thread.
QUICK = (Now, Random)


class AsyncRuntime:
    """Answer steps without blocking the loop.

    After `Detach` the rest runs in the sync runtime's thread, because the end of a loop cancels its tasks, shielded or
    not: a rotated pair must outlive even that.
    """

    def __init__(self, sync: SyncRuntime) -> None:
        self._sync = sync

    async def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end; when the caller is cancelled, Cancelled enters the flow and it tidies up."""
        try:
            step = next(flow)
            while not isinstance(step, Detach):
                work = asyncio.ensure_future(self._answer(step))
                try:
                    reply = await asyncio.shield(work)
                except asyncio.CancelledError:
                    await self._leave(flow, step, work)
                    raise
                except Exception as error:  # noqa: BLE001 - it is the flow's to judge
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        return await asyncio.shield(asyncio.wrap_future(self._sync.finish_detached(flow)))

    async def _answer(self, step: Step) -> Any:
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.span.total_seconds())
        if isinstance(step, QUICK):
            return self._sync.answer(step)
        return await asyncio.to_thread(self._sync.answer, step)

    async def _leave(self, flow: Flow[Any], step: Step, work: "asyncio.Task[Any]") -> None:
        """End a flow whose caller gave up; a step that has begun has its effect, so its reply still enters first."""
        if isinstance(step, Sleep):
            work.cancel()
            await asyncio.to_thread(self._sync.cancel, flow)
            return
        await asyncio.wait([work])
        try:
            following = flow.throw(error) if (error := work.exception()) else flow.send(work.result())
        except Exception:  # noqa: BLE001 - the flow has ended, and nobody waits for its result
            return
        if isinstance(following, Detach):
            self._sync.finish_detached(flow)
        else:
            await asyncio.to_thread(self._sync.cancel, flow)
