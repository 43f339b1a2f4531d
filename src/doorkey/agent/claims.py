"""Who makes a run: a lease for each, kept up while the run is live, so that no other program makes it too."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from doorkey.agent.clerk import Clerk
from doorkey.errors import StorageFull, StoreBusy
from doorkey.flows.steps import Lease
from doorkey.ports import Leases

SPAN = timedelta(seconds=60)
"""How long the runs of a program that fell silent are left to it; one that died here is followed at once."""

PACE = SPAN / 3

PAUSE = timedelta(milliseconds=50)
TRIES = 60


class Claims:
    """The runs that are ours to make.

    `lost` is told of a run that another program took over, because we fell silent for too long.
    """

    def __init__(
        self,
        leases: Leases,
        clerk: Clerk,
        lost: Callable[[str], Awaitable[None]],
        *,
        pace: timedelta = PACE,
    ) -> None:
        self._leases = leases
        self._clerk = clerk
        self._lost = lost
        self._pace = pace
        self._held: dict[str, Lease] = {}
        self._keeper: asyncio.Task[None] | None = None

    async def take(self, run: str) -> bool:
        """Claim a run; False while somebody makes it, we ourselves included."""
        lease = await self._clerk.do(self._leases.take, run, SPAN)
        if lease is None:
            return False
        self._held[run] = lease
        self._keeper = self._keeper or asyncio.create_task(self._keep())
        return True

    async def wait(self, run: str, *, while_: Callable[[], bool]) -> bool:
        """Claim a run that its maker leaves in a moment; False where somebody keeps it, or it is wanted no more."""
        for _ in range(TRIES):
            if await self.take(run):
                return True
            if not await self._clerk.do(while_):
                return False
            await asyncio.sleep(PAUSE.total_seconds())
        return False

    def drop(self, run: str) -> None:
        """Leave a run to whoever wants it; done in its turn, so that a later claim comes after it."""
        lease = self._held.pop(run, None)
        if lease is not None:
            self._clerk.later(_release, self._leases, lease)

    async def close(self) -> None:
        """Leave everything."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        for run in list(self._held):
            self.drop(run)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._pace.total_seconds())
            for run, lease in list(self._held.items()):
                if not await self._clerk.do(_extend, self._leases, lease) and self._held.get(run) is lease:
                    await self._lost(run)


def _extend(leases: Leases, lease: Lease) -> bool:
    try:
        return leases.extend(lease, SPAN)
    except (StoreBusy, StorageFull):
        return True  # Not known: asked again before it ends.


def _release(leases: Leases, lease: Lease) -> None:
    with suppress(StoreBusy, StorageFull):  # It ends by itself.
        leases.release(lease)
