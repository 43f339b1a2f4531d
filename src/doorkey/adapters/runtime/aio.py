"""Drive a flow in asyncio: waiting never blocks the loop, and what must not be lost goes on in a thread."""

import asyncio

from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.flows.steps import Detach, Flow, Now, Random, Result, Sleep

# Answered at once, in the loop; every other step may touch a disk or the network and goes to a thread.
QUICK = (Now, Random)


class AsyncRuntime:
    """Answer steps without blocking the loop.

    Nothing that must not be lost is a task or waits in one, because the end of a loop cancels every task, shielded or
    not: steps are answered in the sync runtime's threads, after `Detach` all the rest, and what a caller who gave up
    leaves behind is tidied up there too.
    """

    def __init__(self, sync: SyncRuntime) -> None:
        self._sync = sync

    async def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end; when the caller is cancelled, Cancelled enters the flow and it tidies up."""
        try:
            step = next(flow)
            while not isinstance(step, Detach):
                if isinstance(step, QUICK):
                    step = self._sync.advance(flow, step)
                    continue
                begun, reply = None, None
                try:
                    if isinstance(step, Sleep):
                        await asyncio.sleep(step.span.total_seconds())
                    else:
                        begun = self._sync.begin(step)
                        reply = await asyncio.wrap_future(begun)
                except asyncio.CancelledError:
                    self._sync.leave(flow, begun)
                    raise
                except Exception as error:  # noqa: BLE001 - it is the flow's to judge
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        return await asyncio.wrap_future(self._sync.finish_detached(flow))
