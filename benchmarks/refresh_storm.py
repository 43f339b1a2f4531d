"""Count the refreshes when 50 tasks, 50 threads and 8 processes of 50 threads meet one expired token."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

from practice import expire, signed_in_home

from doorkey.bootstrap import House, open_house
from doorkey.sandbox import Sandbox
from doorkey.service.resolve import Choice, Wish

CALLERS = 50
PROCESSES = 8
SLOWNESS = 0.3
# How long a process may go on with a token that another one replaced.
UNNOTICED = 1.1
MEETING = 0.5

Environ = dict[str, str]
Storm = Callable[[], list[float]]


def main() -> None:
    """Run each storm against a strict server that takes 0.3 s to answer and revokes on reuse.

    Everybody renews once to warm up; then the token ends again, and all ask from a barrier.
    """
    with TemporaryDirectory() as folder, signed_in_home(Path(folder)) as (sandbox, environ):
        for name, crowd in (("tasks", tasks), ("threads", threads), ("processes", processes)):
            with crowd(environ) as storm:
                measure(name, storm, sandbox, environ)


def measure(name: str, storm: Storm, sandbox: Sandbox, environ: Environ) -> None:
    """Let a storm pass once to warm up and once for its figures."""
    for is_warm in (False, True):
        expire(environ)
        time.sleep(UNNOTICED)
        sandbox.faults.clear()
        sandbox.faults.add("slow", endpoint="token", seconds=SLOWNESS)
        before = sandbox.log.count(action="refresh_token", outcome="ok")
        waits = storm()
        refreshes = sandbox.log.count(action="refresh_token", outcome="ok") - before
        if is_warm:
            print(
                f"{name:10} {len(waits)} callers got a token, {refreshes} refresh, slowest caller {max(waits):.2f} s "
                f"({max(waits) / SLOWNESS:.1f} times the server's own {SLOWNESS} s)"
            )


def choice(house: House) -> Choice:
    """Return what serves the practice provider."""
    return house.services.resolver.choose(Wish(provider="sandbox"))


@contextmanager
def tasks(environ: Environ) -> Iterator[Storm]:
    """Let 50 tasks of one loop ask at once."""
    with open_house(environ=environ) as house, asyncio.Runner() as loop:
        source = house.services.sources.async_of(choice(house))

        async def ask() -> float:
            began = time.perf_counter()
            await source.get()
            return time.perf_counter() - began

        async def storm() -> list[float]:
            return await asyncio.gather(*(ask() for _ in range(CALLERS)))

        yield lambda: loop.run(storm())


@contextmanager
def threads(environ: Environ) -> Iterator[Storm]:
    """Let 50 threads ask at once."""
    with open_house(environ=environ) as house, ThreadPoolExecutor(CALLERS) as pool:
        source = house.services.sources.of(choice(house))
        together = Barrier(CALLERS)

        def ask(_: int) -> float:
            together.wait()
            began = time.perf_counter()
            source.get()
            return time.perf_counter() - began

        yield lambda: list(pool.map(ask, range(CALLERS)))


@contextmanager
def processes(environ: Environ) -> Iterator[Storm]:
    """Let 8 processes of 50 threads ask at once: each is ready before the moment that they are told to begin at."""
    program = [sys.executable, __file__, "process"]
    with ExitStack() as ends:
        started = [
            ends.enter_context(
                subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
            )
            for _ in range(PROCESSES)
        ]

        def storm() -> list[float]:
            meeting = time.time() + MEETING
            for process in started:
                assert process.stdin is not None
                print(meeting, file=process.stdin, flush=True)
            return [float(word) for process in started if process.stdout for word in process.stdout.readline().split()]

        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield storm
        for process in started:
            assert process.stdin is not None
            process.stdin.close()


def process(environ: Environ) -> None:
    """Be one of the processes: storm at each moment that is read, and print how long each thread waited."""
    with threads(environ) as storm:
        print("ready", flush=True)
        for meeting in sys.stdin:
            time.sleep(max(float(meeting) - time.time(), 0))
            print(*storm(), flush=True)


if __name__ == "__main__":
    process(dict(os.environ)) if sys.argv[1:] == ["process"] else main()
