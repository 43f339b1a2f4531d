"""A practice provider on an invented clock, and a visitor who knows how to sign in to it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import httpx2
import pytest

from doorkey.sandbox import Sandbox
from tests.sandbox.visitor import BASE_URL, HandClock, Visitor


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sandbox(clock: HandClock) -> Iterator[Sandbox]:
    with closing(Sandbox(BASE_URL, clock=clock)) as opened:
        yield opened


@pytest.fixture
async def visitor(sandbox: Sandbox, clock: HandClock) -> AsyncIterator[Visitor]:
    transport = httpx2.ASGITransport(sandbox.app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield Visitor(http, sandbox, clock)
