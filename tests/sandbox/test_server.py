"""The real server: what only a real connection can show."""

import socket
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from doorkey.sandbox.server import Running, start
from tests.sandbox.visitor import HandClock, Visitor

SAY = {"model": "practice-small", "input": "say: one two three four five", "stream": True}


@pytest.fixture
def running() -> Iterator[Running]:
    server = start()
    yield server
    server.stop()


@pytest.fixture
def http(running: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {running.sandbox.make_key()}"}
    with httpx2.Client(base_url=running.url, headers=headers) as client:
        yield client


def test_it_answers_as_soon_as_it_is_started(running: Running):
    health = httpx2.get(f"{running.url}/sandbox/health")

    assert health.json()["sandbox"] == "doorkey"


def test_a_busy_port_is_told_at_once(running: Running):
    port = int(running.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        start(port)


def test_a_stopped_server_frees_its_port():
    running = start()
    port = int(running.url.rpartition(":")[2])

    running.stop()

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_cut_stream_breaks_the_connection_after_what_it_let_through(running: Running, http: httpx2.Client):
    running.sandbox.faults.add("cut_stream", chunks=2)
    lines: list[str] = []

    with http.stream("POST", "/v1/responses", json=SAY) as response, pytest.raises(httpx2.RemoteProtocolError):
        lines.extend(response.iter_lines())

    assert sum("response.output_text.delta" in line and line.startswith("data") for line in lines) == 2


def test_a_client_that_leaves_is_noted(running: Running, http: httpx2.Client):
    endless = {**SAY, "input": "slow 2000"}

    with http.stream("POST", "/v1/responses", json=endless) as response:
        next(response.iter_lines())

    note = running.sandbox.log.notes[-1]
    wait_until(lambda: note.outcome == "client_left")
    assert note.outcome == "client_left"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, at most five seconds."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)


async def test_a_lost_reply_breaks_the_connection_and_the_token_is_spent(running: Running):
    async with httpx2.AsyncClient(base_url=running.url) as browser:
        visitor = Visitor(browser, running.sandbox, HandClock())
        tokens = await visitor.sign_in()
        running.sandbox.faults.add("reply_lost")

        with pytest.raises(httpx2.RemoteProtocolError):
            await visitor.refresh(tokens)

        assert (await visitor.refresh(tokens)).json()["error_code"] == "refresh_token_reused"


def test_there_is_one_date_and_no_server_header(http: httpx2.Client):
    answer = http.get("/v1/models")

    assert len(answer.headers.get_list("date")) == 1
    assert "server" not in answer.headers
