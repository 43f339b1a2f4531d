"""One attempt per port: a listener of ours leaves for the next sign-in of the same vault, and for nobody else."""

import socket
import stat
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from urllib.parse import urlsplit

import pytest

from doorkey.adapters.loopback.leaving import HEADER, PATH, PATIENCE, PortSecrets
from doorkey.adapters.loopback.listener import LoopbackListener
from doorkey.errors import PortBusy
from doorkey.ports import Outcome


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Attempt:
    """A sign-in that closes its port when it is asked to leave."""

    def __init__(self, redirect: str, secrets: PortSecrets | None, *fallback: int) -> None:
        self.left = 0
        self.listener = LoopbackListener.open(redirect, fallback, self.deliver, self.leave, secrets=secrets)

    def deliver(self, _: str) -> Outcome:
        return Outcome(ok=False, title="", text="", finished=False)

    def leave(self) -> None:
        self.left += 1
        self.listener.close()

    @property
    def port(self) -> int | None:
        return urlsplit(self.listener.redirect).port


@pytest.fixture
def secrets(tmp_path: Path) -> PortSecrets:
    return PortSecrets(tmp_path)


@pytest.fixture(params=["127.0.0.1", "localhost"])
def redirect(request) -> str:
    return f"http://{request.param}:{free_port()}/callback"


def test_the_next_sign_in_of_the_same_vault_takes_the_port_over(redirect, secrets):
    first = Attempt(redirect, secrets)

    second = Attempt(redirect, secrets, free_port())
    second.listener.close()

    assert (first.left, second.left) == (1, 0)
    assert second.port == first.port


@pytest.mark.parametrize("theirs", [True, False])
def test_a_listener_of_another_vault_or_program_is_left_alone(redirect, secrets, tmp_path, theirs):
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    first = Attempt(redirect, PortSecrets(elsewhere) if theirs else None)

    with pytest.raises(PortBusy):
        Attempt(redirect, secrets)
    first.listener.close()

    assert first.left == 0


def ask(attempt, secret, *, method="POST", host=None):
    asking = HTTPConnection("127.0.0.1", attempt.port, timeout=5)
    asking.request(method, PATH, headers={"Host": host or urlsplit(attempt.listener.redirect).netloc, HEADER: secret})
    return asking.getresponse().status


def test_only_who_knows_the_secret_can_ask(redirect, secrets, tmp_path):
    first = Attempt(redirect, secrets)
    secret = (tmp_path / f"port-{first.port}.secret").read_text()

    statuses = [ask(first, "guessed"), ask(first, ""), ask(first, secret, host="evil.example")]

    assert (statuses, first.left) == ([404, 404, 404], 0)
    assert ask(first, secret) == 204
    assert first.left == 1


def test_the_secret_is_its_owners_only_and_goes_with_the_port(redirect, secrets, tmp_path):
    first = Attempt(redirect, secrets)
    (kept,) = tmp_path.glob("port-*.secret")
    mode = stat.S_IMODE(kept.stat().st_mode)

    first.listener.close()

    assert mode == 0o600
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_nobody_registered_has_no_secret(secrets, tmp_path):
    attempt = Attempt("http://127.0.0.1:0/callback", secrets)

    attempt.listener.close()

    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_behind_is_worth_nothing_to_who_has_the_port_now(redirect, secrets, tmp_path):
    port = urlsplit(redirect).port
    secrets.make(port)
    with socket.create_server(("127.0.0.1", port)) as foreign:
        foreign.settimeout(5)
        with pytest.raises(PortBusy):
            Attempt(redirect, secrets)

    first, second = Attempt(redirect, secrets), Attempt(redirect, secrets)
    second.listener.close()
    assert first.left == 1


def test_a_stranger_who_answers_byte_by_byte_holds_nobody_up(redirect, secrets):
    port, over = urlsplit(redirect).port, Event()
    answer = [bytes([byte]) for byte in b"HTTP/1.1 204 No Content"]
    secrets.make(port)

    def dawdle(foreign):
        connection, _ = foreign.accept()
        with connection, suppress(OSError):
            while not over.wait(PATIENCE / 4):
                connection.sendall(answer.pop(0))

    with socket.create_server(("127.0.0.1", port)) as foreign:
        Thread(target=dawdle, args=(foreign,), daemon=True).start()
        began = monotonic()
        left = secrets.ask_to_leave("127.0.0.1", port)
        took = monotonic() - began
        over.set()

    assert not left
    assert took < 2 * PATIENCE


def test_where_the_secret_cannot_be_kept_the_listener_works_all_the_same(redirect, tmp_path):
    secrets = PortSecrets(tmp_path / "missing")

    first = Attempt(redirect, secrets)
    with pytest.raises(PortBusy):
        Attempt(redirect, secrets)
    first.listener.close()

    assert first.left == 0
