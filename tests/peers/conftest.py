"""One server for all tests of a process, and an installation of its own for each."""

from collections.abc import Iterator

import pytest

from tests.journeys.program import Program
from tests.peers.peer import CONFIG, Peer


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    running = Peer()
    yield running
    running.stop()


@pytest.fixture
def program(home, peer: Peer) -> Program:
    program = Program(home / "doorkey")
    program.configure(CONFIG.format(issuer=peer.issuer))
    return program
