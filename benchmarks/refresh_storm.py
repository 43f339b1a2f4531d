"""Count the refreshes when 50 tasks, 50 threads and 8 processes meet one expired token."""

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

from benchmarks.practice import expire, signed_in_home
from doorkey.bootstrap import House, open_house
from doorkey.service.resolve import Choice, Wish

CALLERS = 50
PROCESSES = 8
SLOWNESS = 0.3


def main() -> None:
    """Run each storm against a strict server that takes 0.3 s to answer and revokes on reuse."""
    with TemporaryDirectory() as folder, signed_in_home(Path(folder)) as (sandbox, environ):
        for name, storm in (("tasks", tasks), ("threads", threads), ("processes", processes)):
            expire(environ)
            sandbox.faults.clear()
            sandbox.faults.add("slow", endpoint="token", seconds=SLOWNESS)
            before = sandbox.log.count(action="refresh_token", outcome="ok")
            started = time.perf_counter()
            got, waited = storm(environ)
            took = time.perf_counter() - started
            refreshes = sandbox.log.count(action="refresh_token", outcome="ok") - before
            print(
                f"{name:10} {got} callers got a token, {refreshes} refresh, slowest caller {waited:.2f} s "
                f"({waited / SLOWNESS:.1f} times the server's own {SLOWNESS} s; {took:.1f} s in all)"
            )


def choice(house: House) -> Choice:
    """Return what serves the practice provider."""
    return house.services.resolver.choose(Wish(provider="sandbox"))


def tasks(environ: dict[str, str]) -> tuple[int, float]:
    """Let 50 tasks of one loop ask at once."""

    async def storm() -> tuple[int, float]:
        with open_house(environ=environ) as house:
            source = house.services.sources.async_of(choice(house))

            async def ask() -> float:
                began = time.perf_counter()
                await source.get()
                return time.perf_counter() - began

            waits = await asyncio.gather(*(ask() for _ in range(CALLERS)))
            return len(waits), max(waits)

    return asyncio.run(storm())


def threads(environ: dict[str, str]) -> tuple[int, float]:
    """Let 50 threads ask at once."""
    with open_house(environ=environ) as house, ThreadPoolExecutor(CALLERS) as pool:
        source = house.services.sources.of(choice(house))
        together = Barrier(CALLERS)

        def ask() -> float:
            together.wait()
            began = time.perf_counter()
            source.get()
            return time.perf_counter() - began

        waits = [asked.result() for asked in [pool.submit(ask) for _ in range(CALLERS)]]
        return len(waits), max(waits)


def processes(environ: dict[str, str]) -> tuple[int, float]:
    """Let 8 processes ask at once: each is ready before the first one asks."""
    program = (
        "import sys, time; from benchmarks.refresh_storm import choice; from doorkey.bootstrap import open_house\n"
        "with open_house() as house:\n"
        "    source = house.services.sources.of(choice(house)); import httpx2\n"
        "    print('ready', flush=True); sys.stdin.readline(); began = time.perf_counter(); source.get()\n"
        "    print(time.perf_counter() - began)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )
        for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    waits = [float(process.communicate()[0]) for process in started]
    return len(waits), max(waits)


if __name__ == "__main__":
    main()
