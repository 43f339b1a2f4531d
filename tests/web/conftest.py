"""A room for each test, and a browser that was let in."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.web.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    furnished = Room(tmp_path)
    with furnished.house:
        yield furnished


@pytest.fixture
async def browser(room: Room) -> AsyncIterator[httpx2.AsyncClient]:
    entered = await room.enter()
    yield entered
    await entered.aclose()
