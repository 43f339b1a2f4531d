"""An installation of its own and a practice provider of its own for each journey."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.sandbox import server
from doorkey.sandbox.server import Running
from tests.journeys.configs import config
from tests.journeys.gate import Gate
from tests.journeys.program import Program
from tests.journeys.wire import Tap, Wire


@pytest.fixture
def wire() -> Wire:
    """What goes over the wire."""
    return Wire()


@pytest.fixture
def practice(wire: Wire) -> Iterator[Running]:
    running = server.start(port=0)
    # The stack is built at the first request, which has not come yet.
    running.sandbox.app.add_middleware(Tap, wire=wire)  # type: ignore[attr-defined]  # It is Starlette's.
    yield running
    running.stop()


@pytest.fixture
def gate(practice: Running) -> Iterator[Gate]:
    gate = Gate(practice.url)
    yield gate
    gate.close()


@pytest.fixture
def program(home: Path, practice: Running) -> Program:
    """Point every built-in endpoint, and a provider of the person's own, to the practice provider."""
    program = Program(home / "doorkey")
    program.configure(config(practice.url))
    return program
