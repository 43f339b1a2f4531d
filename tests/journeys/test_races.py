"""Several programs and one refresh token: it is used once, whoever comes, dies or hears nothing."""

import signal
from datetime import timedelta

import pytest

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


def test_a_killed_holder_is_followed_by_the_next_at_once(program, practice, gate):
    practice.sandbox._world.token_lifetime = 0
    program.configure(gate.config)
    sign_in(program, "acme")
    practice.sandbox._world.token_lifetime = 3600
    gate.catch_next()

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
