"""Several processes over one vault: one refresh for all of them, and none of them can lose the sign-in."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.bootstrap import open_house
from doorkey.sandbox.server import start
from doorkey.testing.practice import SANDBOX, approve, bring_back

pytestmark = pytest.mark.slow

PATIENCE = 60  # Seconds that a test waits for what must happen, before it fails.

# Another program of the person's: it opens the vault, waits for the word, and wants a token.
PROGRAM = """
import sys
from doorkey.bootstrap import open_house
from doorkey.service.resolve import Wish
with open_house() as house:
    source = house.services.sources.of(house.services.resolver.choose(Wish(provider="sandbox")))
    print("ready", flush=True)
    sys.stdin.readline()
    print(source.get().reveal(), flush=True)
"""


@pytest.fixture
def provider():
    running = start()
    yield running
    running.stop()


@pytest.fixture
def account(provider, home):
    """Somebody who signed in with a browser, and whose token has ended."""
    folder = home / "doorkey"
    folder.mkdir(mode=0o700)
    (folder / "config.toml").write_text(SANDBOX.format(url=provider.url))
    with open_house() as house:
        sign_in = house.services.sign_ins.start("sandbox")
        bring_back(approve(sign_in.url))
        assert sign_in.over.wait(PATIENCE)
        assert sign_in.account, sign_in.failure
        held = house.vault.accounts.load(sign_in.account.id)
        past = house.clock.now() - timedelta(hours=2)
        ended = replace(held.tokens, issued_at=past, expires_at=past + timedelta(hours=1))
        account = replace(held.account, generation=1, expires_at=ended.expires_at)
        assert house.vault.accounts.save(replace(held, account=account, tokens=ended), read=0)
    return account


class Program:
    """A process that wants a token when it is told to."""

    def __init__(self):
        arguments = [sys.executable, "-c", PROGRAM]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def is_ready(self):
        return self._process.stdout.readline() == "ready\n"

    def go(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)

    def end(self):
        """Wait for its end, and give what it printed and its errors."""
        out, err = self._process.communicate(timeout=PATIENCE)
        return out.strip(), err


@pytest.fixture
def programs(account):
    started = [Program() for _ in range(4)]
    yield started
    for program in started:
        program._process.kill()
        program._process.communicate()


def stands(account):
    with open_house() as house:
        return house.vault.accounts.load(account.id)


def test_four_processes_on_an_expired_token_make_one_refresh_and_all_get_its_token(provider, account, programs):
    assert all(program.is_ready() for program in programs)

    for program in programs:
        program.go()
    ends = [program.end() for program in programs]

    held = stands(account)
    assert ends == [(held.tokens.access.reveal(), "")] * 4
    assert held.account.generation == 2
    assert provider.sandbox.log.count(action="refresh_token") == 1
    assert provider.sandbox.log.count(action="refresh_token", outcome="ok") == 1


def test_ctrl_c_in_the_middle_of_a_refresh_loses_nothing(provider, account, programs):
    hasty, other, *_ = programs
    provider.sandbox.faults.add("slow", endpoint="token", seconds=1)
    assert hasty.is_ready()
    assert other.is_ready()
    hasty.go()
    until(lambda: not provider.sandbox.faults.waiting())

    hasty.interrupt()
    out, err = hasty.end()

    assert out == ""
    assert "KeyboardInterrupt" in err
    assert stands(account).account.generation == 2
    other.go()
    assert other.end() == (stands(account).tokens.access.reveal(), "")
    assert provider.sandbox.log.count(action="refresh_token") == 1


def until(happened):
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)
