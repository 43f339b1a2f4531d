"""A claim on a run: one machine has it, it is kept up, and its loss is told."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from doorkey.agent.claims import SPAN, Claims
from doorkey.agent.clerk import Clerk
from doorkey.errors import StoreBusy
from doorkey.testing.clock import FakeClock
from doorkey.testing.memory import MemoryLeases

from .chatting import PATIENCE


class Busy(MemoryLeases):
    """Leases in a database that cannot be reached for a while; `asked` is set when somebody tried."""

    def __init__(self, now):
        super().__init__(now)
        self.away = False
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def extend(self, lease, span):
        if self.away:
            self._loop.call_soon_threadsafe(self.asked.set)
            raise StoreBusy("The database cannot be reached.")
        return super().extend(lease, span)

    def release(self, lease):
        if self.away:
            raise StoreBusy("The database cannot be reached.")
        super().release(lease)


class Room:
    """One machine's claims, and the runs that it lost."""

    def __init__(self, leases):
        self.lost = []
        self.news = asyncio.Event()
        self.clerk = Clerk()
        self.claims = Claims(leases, self.clerk, self.note, pace=timedelta(milliseconds=1))

    async def note(self, run):
        self.lost.append(run)
        self.claims.drop(run)
        self.news.set()


@asynccontextmanager
async def room(leases):
    opened = Room(leases)
    try:
        yield opened
    finally:
        await opened.claims.close()
        opened.clerk.close()


@pytest.fixture
def clock():
    return FakeClock()


async def test_a_run_is_made_by_one_machine_until_it_is_dropped(clock):
    leases = MemoryLeases(clock.now)
    async with room(leases) as one, room(leases) as other:
        first, second = await one.claims.take("run_1"), await other.claims.take("run_1")
        one.claims.drop("run_1")

        assert (first, second) == (True, False)
        assert await one.claims.take("run_1")


async def test_a_run_that_another_machine_took_over_is_told(clock):
    leases = MemoryLeases(clock.now)
    async with room(leases) as ours:
        await ours.claims.take("run_1")
        clock.sleep(SPAN)
        leases.take("run_1", SPAN)

        async with asyncio.timeout(PATIENCE):
            await ours.news.wait()

        assert ours.lost == ["run_1"]


async def test_a_database_that_is_away_for_a_while_loses_no_run(clock):
    leases = Busy(clock.now)
    async with room(leases) as ours:
        await ours.claims.take("run_1")
        leases.away = True

        async with asyncio.timeout(PATIENCE):
            await leases.asked.wait()
        ours.claims.drop("run_1")

        assert ours.lost == []


async def test_a_run_that_its_maker_is_about_to_leave_is_waited_for(clock):
    leases = MemoryLeases(clock.now)
    async with room(leases) as one, room(leases) as other:
        await one.claims.take("run_1")
        waiting = asyncio.create_task(other.claims.wait("run_1", while_=lambda: True))
        await asyncio.sleep(0)

        one.claims.drop("run_1")

        assert await waiting
        assert not await one.claims.take("run_1")


async def test_a_run_that_somebody_goes_on_with_is_waited_for_no_longer(clock):
    leases = MemoryLeases(clock.now)
    async with room(leases) as one, room(leases) as other:
        await one.claims.take("run_1")

        assert not await other.claims.wait("run_1", while_=lambda: False)
