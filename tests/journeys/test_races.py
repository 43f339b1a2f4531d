"""Several programs and one refresh token: it is used once, whoever comes, dies or hears nothing."""

import signal
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in

pytestmark = pytest.mark.slow


@pytest.fixture
def expired(program, practice):
    """An account whose access token has run out."""
    practice.sandbox._world.token_lifetime = 0
    sign_in(program, "acme")
    practice.sandbox._world.token_lifetime = 3600
    return program


def test_six_programs_share_one_slow_refresh(expired, practice):
    practice.sandbox.faults.add("slow", endpoint="token", seconds=1.5)

    running = [expired.start("token", "acme") for _ in range(6)]
    ended = [expired.finish(process) for process in running]

    assert [each.code for each in ended] == [0] * 6, ended
    assert len({each.out for each in ended}) == 1
    assert practice.sandbox.log.count(action="refresh_token") == 1
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1


def test_threads_and_processes_share_it_too(expired, practice):
    practice.sandbox.faults.add("slow", endpoint="token", seconds=1.0)
    script = """
import doorkey, sys
from concurrent.futures import ThreadPoolExecutor
with doorkey.open() as keys, ThreadPoolExecutor(8) as pool:
    source = keys.token_source("acme")
    print(*{token.reveal() for token in pool.map(lambda _: source.get(), range(8))})
"""

    racing = expired.start("token", "acme")
    library = expired.python(script)
    token = expired.finish(racing)

    assert library.out == token.out, (library, token)
    assert practice.sandbox.log.count(action="refresh_token") == 1


class Gate:
    """Stands before the token endpoint and keeps the first request for itself; the next ones pass."""

    def __init__(self, answer):
        self.arrived = threading.Event()
        self._answer = answer
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if not gate.arrived.is_set():
                    gate.arrived.set()
                    self.close_connection = True
                    self.rfile.read()  # Until the one who asked is gone.
                    return
                content = gate._answer(body)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def gate(practice):
    def forward(body):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return httpx2.post(f"{practice.url}/token", content=body, headers=headers).content

    gate = Gate(forward)
    yield gate
    gate.server.shutdown()
    gate.server.server_close()


def test_a_killed_holder_is_followed_by_the_next_at_once(program, practice, gate):
    practice.sandbox._world.token_lifetime = 0
    program.configure(config(practice.url).replace(f'"{practice.url}/token"', f'"{gate.url}/token"'))
    gate.arrived.set()
    sign_in(program, "acme")
    practice.sandbox._world.token_lifetime = 3600
    gate.arrived.clear()

    holder = program.start("token", "acme")
    assert gate.arrived.wait(30)
    holder.send_signal(signal.SIGKILL)
    program.finish(holder)
    token = program.run("token", "acme")

    # The lease of a holder that lives would last for 40 s; nobody waits for that of a dead one.
    assert token.code == 0, token
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1


def test_a_lost_reply_ends_in_a_sign_in_with_its_reason_and_keeps_the_row(expired, practice):
    practice.sandbox.faults.add("reply_lost", endpoint="token")
    before = expired.accounts()[0]

    first = expired.run("token", "acme")
    later = first
    while later.code == 4:
        # The pause after a fault is a second or two.
        later = expired.run("token", "acme")
    account = expired.accounts()[0]

    assert first.code == 4
    assert later.code == 3
    assert "refresh_token_reused" in later.err
    assert (account["id"], account["identity"]) == (before["id"], before["identity"])
    assert (account["state"], account["action"]) == ("sign_in_needed", "reconnect")
    assert "refresh_token_reused" in account["reason"]


def test_a_dead_grant_is_not_asked_about_again(expired, practice):
    practice.sandbox.faults.add("revoked_grant", endpoint="token")

    codes = [expired.run("token", "acme").code for _ in range(3)]

    assert codes == [3, 3, 3]
    assert practice.sandbox.log.count(action="refresh_token") == 1


def test_signing_in_again_heals_a_dead_account(expired, practice):
    practice.sandbox.faults.add("revoked_grant", endpoint="token")
    expired.run("token", "acme")

    account = sign_in(expired, "acme", "--account", expired.accounts()[0]["id"])

    assert account["state"] == "ready"
    assert expired.run("token", "acme").code == 0


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
def test_a_passing_fault_costs_nothing_while_the_token_lives(program, practice, fault):
    sign_in(program, "acme")
    before = program.run("token", "acme")
    # Due for renewal, and still good for a while.
    program.grow_old(before_its_end=timedelta(seconds=90))
    practice.sandbox.faults.add(fault, endpoint="token")

    during = program.run("token", "acme")
    after = program.accounts()[0]

    assert during.out == before.out
    assert practice.sandbox.log.count(fault=fault) == 1
    assert after["state"] == "ready"


def test_a_passing_fault_passes(expired, practice):
    practice.sandbox.faults.add("unavailable", endpoint="token")

    first = expired.run("token", "acme")
    later = first
    while later.code == 4:
        later = expired.run("token", "acme")

    assert (first.code, later.code) == (4, 0)
    assert expired.accounts()[0]["state"] == "ready"
