"""The token source for asyncio; apart, because loading asyncio costs a quick command more than all its own work."""

import asyncio
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable
from datetime import timedelta

from doorkey.domain.account import Held
from doorkey.domain.secret import Secret
from doorkey.flows.valid_tokens import Key, Need, valid_tokens
from doorkey.ports import AsyncRunner
from doorkey.service.token_source import Source, TokenSource


class AsyncRenewals:
    """Let tasks of one loop share a renewal; waiting for another program's takes no thread."""

    def __init__(self, runner: AsyncRunner, after: Callable[[Need], None] = lambda _: None) -> None:
        self._runner = runner
        self._after = after
        self._live: dict[tuple[AbstractEventLoop, Key], Task[Held]] = {}

    async def join(self, need: Need) -> Held:
        """Wait for the renewal that serves this need; a caller that is cancelled only stops waiting."""
        key = (asyncio.get_running_loop(), need.key)
        live = self._live.get(key)
        if live is None:
            live = self._live[key] = asyncio.ensure_future(self._runner.run(valid_tokens(need)))
            live.add_done_callback(lambda _: self._end(key, need))
        return await asyncio.shield(live)

    def _end(self, key: tuple[AbstractEventLoop, Key], need: Need) -> None:
        self._live.pop(key, None)
        self._after(need)


class AsyncTokenSource:
    """`TokenSource` for asyncio: a fresh token costs hardly more, and everything else leaves the loop free.

    `find` makes or finds the source; it may touch the vault, so it is called in a worker thread, once.
    """

    def __init__(self, find: Callable[[], Source], renewals: AsyncRenewals) -> None:
        self._find = find
        self._renewals = renewals
        self._source: Source | None = None

    async def get(self, at_least: timedelta = timedelta(0)) -> Secret:
        """Return a usable token, renewed if needed; see `TokenSource.get`."""
        source = self._source
        if isinstance(source, TokenSource) and not at_least and (known := source.peek()) is not None:
            return known
        return await self._wait(at_least=at_least)

    async def renew(self, rejected: Secret) -> Secret:
        """Return another token than the one that was just refused; see `TokenSource.renew`."""
        return await self._wait(rejected=rejected)

    async def _wait(self, *, at_least: timedelta = timedelta(0), rejected: Secret | None = None) -> Secret:
        if self._source is None:
            self._source = await asyncio.to_thread(self._find)
        source = self._source
        if not isinstance(source, TokenSource):
            # Any other source is asked as it is; it may read a file or wait.
            return await asyncio.to_thread(source.renew, rejected) if rejected else await asyncio.to_thread(source.get)
        need = source.need(at_least=at_least, rejected=rejected)
        held = await asyncio.to_thread(source.settle, need)
        if held is None:
            held = source.remember(await self._renewals.join(need))
        return held.tokens.access
