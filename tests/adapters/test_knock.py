"""Asking ports of this machine who is there, side by side and not for long."""

import socket
import threading
import time
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from doorkey.adapters.knock import knock

SOON = timedelta(seconds=0.3)


@contextmanager
def server(answer):
    """Serve one answer on a free port, and keep what was asked; an answer of None is never sent."""
    asked = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve():
            with closing(listening.accept()[0]) as connection:
                asked.append(connection.recv(4096).decode())
                if answer is None:
                    connection.settimeout(5)
                    connection.recv(1)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/page", asked


def ok(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_the_answer_is_returned_and_nothing_of_ours_was_sent(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with server(ok(b"[1]")) as (url, asked):
        assert knock([url], SOON) == {url: b"[1]"}

    assert asked[0].startswith("GET /page HTTP/1.1\r\n")
    assert "User-Agent: doorkey" in asked[0]
    assert "uthorization" not in asked[0]
    assert "ookie" not in asked[0]


def test_a_port_that_nobody_has_is_told_at_once():
    started = time.monotonic()

    assert knock([f"http://127.0.0.1:{closed_port()}/page"], timedelta(seconds=30)) == {}
    assert time.monotonic() - started < 5


def test_who_does_not_answer_holds_up_nobody_else():
    with server(None) as (silent, _), server(ok(b"{}")) as (quick, _):
        answers = knock([silent, quick], SOON)

    assert answers == {quick: b"{}"}


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]
)
def test_another_protocol_or_a_refusal_is_no_answer(answer):
    with server(answer) as (url, _):
        assert knock([url], SOON) == {}


def test_nobody_to_ask_is_no_wait():
    assert knock([], SOON) == {}
