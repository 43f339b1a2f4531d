"""Time that a test moves by hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from doorkey.adapters.store.machine import Process
from doorkey.testing.values import NOON


@dataclass(slots=True)
class FakeClock:
    """Fill `ports.Clock`: sleeping moves the time at once."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def sleep(self, span: timedelta) -> None:
        self.time += span


@dataclass(slots=True)
class FakeMachine:
    """Fill `Machine`: its clocks move by `sleep`; the processes in `dead` have ended."""

    boot: str = "boot-1"
    namespace: int = 1
    pid: int = 100
    time: datetime = NOON
    seconds: float = 1000.0
    dead: set[int] = field(default_factory=set)

    def uptime(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.time

    def this_process(self) -> Process:
        return Process(boot=self.boot, namespace=self.namespace, pid=self.pid, started=1)

    def is_dead(self, process: Process) -> bool:
        return process.pid in self.dead

    def sleep(self, span: timedelta) -> None:
        """Let both clocks go on."""
        self.time += span
        self.seconds += span.total_seconds()
