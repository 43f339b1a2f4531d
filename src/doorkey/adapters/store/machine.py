"""What a lease needs to know of this machine: a clock that counts suspend, and which processes still live."""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

_PROC = Path("/proc")
# Linux stops CLOCK_MONOTONIC while it sleeps, macOS does not.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process beyond doubt: ids are reused, together with the start time (0: unknown) they are not."""

    boot: str
    namespace: int
    pid: int
    started: int


class Machine(Protocol):
    """The clocks and the processes that a lease is judged by."""

    def uptime(self) -> float:
        """Seconds since boot, suspend included."""
        ...

    def now(self) -> datetime: ...
    def this_process(self) -> Process: ...
    def is_dead(self, process: Process) -> bool:
        """Whether a process of the same boot and namespace has surely ended."""
        ...


class ThisMachine:
    """Fill `Machine` on Linux and macOS."""

    def uptime(self) -> float:
        return time.clock_gettime(_CLOCK)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def this_process(self) -> Process:
        # Asked every time, because a fork makes another process of us.
        pid = os.getpid()
        return Process(boot=self._boot, namespace=_namespace(), pid=pid, started=_state_and_start(pid)[1])

    def is_dead(self, process: Process) -> bool:
        try:
            os.kill(process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False  # Somebody else's process: it lives.
        state, started = _state_and_start(process.pid)
        return state in {"Z", "X"} or (0 not in {started, process.started} and started != process.started)

    @cached_property
    def _boot(self) -> str:
        try:
            return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return _mac_boot() if sys.platform == "darwin" else _no_boot()


def _mac_boot() -> str:
    import subprocess

    try:
        asked = subprocess.run(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, check=True)
        return asked.stdout.decode().strip() or _no_boot()
    except (OSError, subprocess.CalledProcessError):
        return _no_boot()


def _no_boot() -> str:
    """Make up a boot that nobody shares: others then judge our leases by the wall clock alone."""
    return f"unknown-{os.urandom(16).hex()}"


def _namespace() -> int:
    try:
        return (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _state_and_start(pid: int) -> tuple[str, int]:
    """Read a process's state and start time in clock ticks, fields 3 and 22 of proc(5); unknown is `("", 0)`."""
    try:
        if (_PROC / "self").readlink().name != str(os.getpid()):
            return "", 0  # This /proc is another namespace's: the process of that number in it is somebody else.
        # The name, field 2, may hold spaces and parentheses: count from behind it.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return "", 0
