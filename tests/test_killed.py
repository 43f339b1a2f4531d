"""A program that is killed at any step of a sign-in or a renewal leaves a vault that is whole."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import httpx2
import pytest

from doorkey.bootstrap import open_house
from doorkey.domain.account import State
from doorkey.errors import SignInNeeded
from doorkey.sandbox.server import start
from doorkey.service.resolve import Wish
from doorkey.testing.practice import ACME, approve, bring_back

pytestmark = pytest.mark.slow

PATIENCE = 60
KILLED = 9

# Its runtime ends the process, without another word, instead of answering the step of this number.
DOOMED = """
import os, sys
from itertools import count
from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.bootstrap import open_house
from doorkey.service.resolve import Wish

class Doomed(SyncRuntime):
    def __init__(self, whole, last):
        vars(self).update(vars(whole))
        self.last, self.numbers = last, count()

    def answer(self, step):
        if next(self.numbers) == self.last:
            os._exit(9)
        return super().answer(step)

with open_house() as house:
    house.runtime = Doomed(house.runtime, int(sys.argv[1]))
    services = house.services
"""
SIGNS_IN = """
    sign_in = services.sign_ins.start("acme")
    print(sign_in.url, flush=True)
    sign_in.over.wait(60)
    sys.exit(0 if sign_in.account else 1)
"""
RENEWS = """
    services.sources.of(services.resolver.choose(Wish(provider="acme"))).get()
"""


@pytest.fixture
def provider(home):
    running = start()
    folder = home / "doorkey"
    folder.mkdir(mode=0o700)
    (folder / "config.toml").write_text(ACME.format(url=running.url))
    yield running
    running.stop()


def doomed(program, step):
    """Start a program that is killed at this step."""
    arguments = [sys.executable, "-c", DOOMED + program, str(step)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def sign_in(house):
    signing_in = house.services.sign_ins.start("acme")
    bring_back(approve(signing_in.url))
    assert signing_in.over.wait(PATIENCE)
    assert signing_in.account, signing_in.failure


def get(house):
    services = house.services
    return services.sources.of(services.resolver.choose(Wish(provider="acme"))).get()


def expire(house):
    """Let the one account's token be over, and forget what was known of earlier tries."""
    (account,) = house.vault.accounts.all()
    held = house.vault.accounts.load(account.id)
    past = house.clock.now() - timedelta(hours=2)
    ended = replace(held.tokens, issued_at=past, expires_at=past + timedelta(hours=1))
    older = replace(account, generation=account.generation + 1, expires_at=ended.expires_at)
    assert house.vault.accounts.save(replace(held, account=older, tokens=ended), read=account.generation)


def refreshed(provider):
    return provider.sandbox.log.count(action="refresh_token", outcome="ok")


def test_a_sign_in_that_is_killed_at_any_step_can_be_made_again(provider):
    for step in count():
        with doomed(SIGNS_IN, step) as process:
            if url := process.stdout.readline().strip():
                with suppress(httpx2.TransportError):
                    bring_back(approve(url))
        with open_house() as house:
            left = house.vault.accounts.all()
            if left:
                assert get(house)
            sign_in(house)

            (account,) = house.vault.accounts.all()
            assert [account.id] == [known.id for known in left] or not left
            assert get(house)
            house.vault.accounts.forget(account.id)
        if process.returncode == 0:
            break
        assert process.returncode == KILLED
    assert step > 5


def test_a_renewal_that_is_killed_at_any_step_is_made_by_the_next_or_explained(provider):
    with open_house() as house:
        sign_in(house)
    explained = 0

    for step in count():
        with open_house() as house:
            expire(house)
        before = refreshed(provider)
        with doomed(RENEWS, step) as process:
            process.wait(PATIENCE)
        with open_house() as house:
            (account,) = house.vault.accounts.all()
            if refreshed(provider) > before and account.standing.sent:
                # Its pair died with it: no program could have saved that.
                with pytest.raises(SignInNeeded, match=r"interrupted while renewing on .* \(UTC\); sign in again"):
                    get(house)
                assert house.vault.accounts.all()[0].standing.state is State.SIGN_IN_NEEDED
                sign_in(house)
                explained += 1
            assert get(house)
            assert refreshed(provider) <= before + 1
        if process.returncode == 0:
            break
        assert process.returncode == KILLED
    assert 0 < explained < step
