"""The one thread through which the engine reaches its stores, so that no write waits for a page and none overtakes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Clerk:
    """Does quick blocking work in the order in which it was asked for; the event loop goes on meanwhile."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="doorkey-chats")
        self.closed = False

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it and return what it returns; work that has begun is finished, even when the caller is cancelled."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def later(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do it in its turn; nobody waits for it."""
        self._thread.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Finish what was asked for, then stop."""
        self.closed = True
        self._thread.shutdown()
