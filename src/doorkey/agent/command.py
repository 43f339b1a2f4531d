"""Running one shell command in the folder: without credentials, within a time limit, and to its last process."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from doorkey.agent.confinement import Confinement
from doorkey.agent.fence import Folder
from doorkey.errors import FolderRefused

MAX_COMMAND = 20_000
KEPT_BYTES = 24_000
"""How much is kept of the start and of the end of what a command prints."""

LIMIT = timedelta(seconds=120)
LONGEST = timedelta(seconds=600)
GRACE = timedelta(seconds=2)
"""How long a command may tidy up after SIGTERM before SIGKILL."""

_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did: its exit code, negative for a signal, None when the time limit ended it."""

    code: int | None
    output: str
    limit: timedelta

    def __str__(self) -> str:
        """Say it to the model: how it ended first, then what it printed."""
        stopped = f"[stopped after {self.limit.total_seconds():g} s, its time limit]"
        return f"{stopped if self.code is None else f'[exit code {self.code}]'}\n{self.output}"


async def run_command(
    folder: Folder, command: str, *, confinement: Confinement, limit: timedelta = LIMIT, grace: timedelta = GRACE
) -> Outcome:
    """Run a shell command to its end or its limit; cancelling ends it as well.

    Nothing that it started in its own process group outlives it, in the background or not. A process that leaves
    the group on purpose is reached under bubblewrap only.
    """
    if not command.strip() or "\0" in command or len(command) > MAX_COMMAND:
        raise FolderRefused(f"A command has 1 to {MAX_COMMAND} characters and no NUL")
    reading, writing = os.pipe()
    with _Output(reading) as output:
        process = await _start(folder, confinement, command, writing)
        code = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(limit, LONGEST).total_seconds()):
                    code = await process.wait()
        finally:
            await _end(process, grace)
        await output.end(grace)
        return Outcome(code=code, output=output.text(), limit=min(limit, LONGEST))


async def _start(folder: Folder, confinement: Confinement, command: str, writing: int) -> asyncio.subprocess.Process:
    try:
        with folder.directory(()) as here:
            return await asyncio.create_subprocess_exec(
                *confinement.wrap(folder, ["/bin/sh", "-c", command]),
                # Linux enters the very directory that was checked; elsewhere its name has to do.
                cwd=f"/proc/self/fd/{here}" if sys.platform == "linux" else folder.path,
                env=confinement.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
    finally:
        os.close(writing)


async def _end(process: asyncio.subprocess.Process, grace: timedelta) -> None:
    """Ask the whole group to stop, then make it; returns at once when nothing of it is left."""
    try:
        if _signal(process, signal.SIGTERM):
            with suppress(TimeoutError):
                async with asyncio.timeout(grace.total_seconds()):
                    await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> bool:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM about a group of zombies
        return False
    return True


class _Output:
    """The start and the end of what comes through a pipe; a long middle is counted and dropped.

    A pipe of our own and not asyncio's: there `wait` may last as long as anyone holds the pipe (cpython#119710).
    """

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._start = bytearray()
        self._rest = bytearray()
        self._dropped = 0

    def __enter__(self) -> Self:
        os.set_blocking(self._reading, False)
        self._loop.add_reader(self._reading, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._reading)
        os.close(self._reading)

    async def end(self, patience: timedelta) -> None:
        """Wait for the end, but not for a stray process that keeps the pipe open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await self._ended.wait()

    def text(self) -> str:
        gap = f"\n[… {self._dropped} bytes left out …]\n".encode() if self._dropped else b""
        return (self._start + gap + self._rest).decode(errors="replace")

    def _take(self) -> None:
        with suppress(BlockingIOError):
            if chunk := os.read(self._reading, _CHUNK):
                self._keep(chunk)
            else:
                self._loop.remove_reader(self._reading)
                self._ended.set()

    def _keep(self, chunk: bytes) -> None:
        room = KEPT_BYTES - len(self._start)
        self._start += chunk[:room]
        self._rest += chunk[room:]
        surplus = max(0, len(self._rest) - KEPT_BYTES)
        del self._rest[:surplus]
        self._dropped += surplus
