"""A lease is taken from the dead at once, and from the living only when it ends."""

import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.machine import Process, ThisMachine
from doorkey.adapters.store.sqlite import open_vault
from doorkey.flows.steps import OwnsLease
from doorkey.flows.valid_tokens import Need, valid_tokens
from doorkey.testing.clock import FakeMachine
from doorkey.testing.script import METHOD, Caller, World
from doorkey.testing.values import HOUR, NOON

SPAN = timedelta(seconds=40)
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="macOS tells no start times, and no zombies")


@pytest.fixture
def leases_on(tmp_path):
    """Open the leases of one vault as seen from a machine."""
    vaults = []

    def open_on(machine):
        vaults.append(open_vault(tmp_path, [KeyFile(tmp_path)], machine=machine))
        return vaults[-1].leases

    yield open_on
    for vault in vaults:
        vault.close()


def test_a_dead_holder_is_followed_at_once(leases_on):
    leases_on(FakeMachine(pid=100)).take("acc_1", SPAN)

    assert leases_on(FakeMachine(pid=200, dead={100})).take("acc_1", SPAN) is not None


def test_a_living_holder_is_waited_for(leases_on):
    leases_on(FakeMachine(pid=100)).take("acc_1", SPAN)
    machine = FakeMachine(pid=200)
    leases = leases_on(machine)

    while_held = leases.take("acc_1", SPAN)
    machine.sleep(SPAN)

    assert while_held is None
    assert leases.take("acc_1", SPAN) is not None


def test_a_process_id_of_another_namespace_says_nothing(leases_on):
    leases_on(FakeMachine(pid=100, namespace=1)).take("acc_1", SPAN)

    assert leases_on(FakeMachine(pid=200, namespace=2, dead={100})).take("acc_1", SPAN) is None


def test_a_process_id_of_another_machine_says_nothing(leases_on):
    leases_on(FakeMachine(pid=100, boot="boot-1")).take("acc_1", SPAN)

    assert leases_on(FakeMachine(pid=200, boot="boot-2", dead={100})).take("acc_1", SPAN) is None


def test_a_lease_from_before_a_restart_ends_by_the_wall_clock(leases_on):
    leases_on(FakeMachine(boot="boot-1", seconds=9000.0)).take("acc_1", SPAN)
    machine = FakeMachine(boot="boot-2", seconds=1.0)
    leases = leases_on(machine)

    before = leases.take("acc_1", SPAN)
    machine.sleep(SPAN)

    assert before is None
    assert leases.take("acc_1", SPAN) is not None


def test_a_lease_from_the_future_of_another_boot_does_not_hold(leases_on):
    now = FakeMachine(boot="boot-2")
    leases_on(FakeMachine(boot="boot-1", time=now.time + timedelta(days=365))).take("acc_1", SPAN)

    assert leases_on(now).take("acc_1", SPAN) is not None


def test_a_clock_that_is_corrected_by_a_little_frees_no_lease_of_another_boot(leases_on):
    now = FakeMachine(boot="boot-2")
    leases_on(FakeMachine(boot="boot-1", time=now.time + timedelta(seconds=1))).take("acc_1", SPAN)

    assert leases_on(now).take("acc_1", SPAN) is None


def test_suspend_counts(leases_on):
    machine = FakeMachine()
    leases = leases_on(machine)
    lease = leases.take("acc_1", SPAN)

    machine.seconds += 3600  # The wall clock may lag behind after waking up.

    assert not leases.owns(lease, timedelta(seconds=20))


@pytest.mark.parametrize("slept", [20.5, 41, 3600])
def test_a_holder_that_was_suspended_before_it_sent_starts_over_instead(tmp_path, slept):
    machine = FakeMachine()
    with closing(open_vault(tmp_path, [KeyFile(tmp_path)], machine=machine)) as vault:
        world = World(vault=vault)
        account = world.keep()
        world.clock.time = NOON + HOUR
        holder = Caller(world, valid_tokens(Need(account=account.id, method=METHOD)))
        holder.reach(OwnsLease)

        machine.seconds += slept  # The wall clock stands still, as it may after waking up.
        holder.take()
        too_late = list(world.endpoints.requests)
        held = holder.finish()

        assert too_late == []
        assert world.endpoints.refreshes == 1
        assert world.stands(account.id) == held


def test_a_suspended_holder_that_was_followed_adopts_what_the_next_one_saved(tmp_path):
    machine, other = FakeMachine(pid=100), FakeMachine(pid=200, seconds=5000.0)
    with (
        closing(open_vault(tmp_path, [KeyFile(tmp_path)], machine=machine)) as vault,
        closing(open_vault(tmp_path, [KeyFile(tmp_path)], machine=other)) as same_vault,
    ):
        world = World(vault=vault)
        account = world.keep()
        world.clock.time = NOON + HOUR
        need = Need(account=account.id, method=METHOD)
        holder = Caller(world, valid_tokens(need))
        holder.reach(OwnsLease)
        machine.seconds = other.seconds
        awake = World(vault=same_vault, clock=world.clock, endpoints=world.endpoints)

        newer = awake.run(valid_tokens(need))
        held = holder.finish()

        assert held == newer
        assert world.endpoints.refreshes == 1


def test_a_wall_clock_that_jumps_ends_no_lease(leases_on):
    machine = FakeMachine()
    leases = leases_on(machine)
    lease = leases.take("acc_1", SPAN)

    machine.time += timedelta(days=1)

    assert leases.owns(lease, SPAN)
    assert leases.take("acc_1", SPAN) is None


@needs_proc
def test_a_process_that_ended_is_dead_even_before_it_is_buried():
    machine = ThisMachine()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        child_process = _seen_as(machine, child.pid)
        alive = not machine.is_dead(child_process)
        child.kill()
        # Waits for the end without reaping, so that the zombie stays.
        _wait_for_exit(child.pid)
        zombie = machine.is_dead(child_process)

    assert alive
    assert zombie
    assert machine.is_dead(child_process)


@needs_proc
def test_a_process_id_that_was_given_anew_is_not_its_former_owner():
    machine = ThisMachine()
    me = machine.this_process()

    assert not machine.is_dead(me)
    assert machine.is_dead(replace(me, started=me.started + 1))


def test_the_boot_clock_goes_forward_and_the_boot_stays():
    machine = ThisMachine()

    first, second = machine.uptime(), machine.uptime()

    assert 0 < first <= second
    assert ThisMachine().this_process() == machine.this_process()


def _seen_as(machine, pid):
    return Process(boot=machine.this_process().boot, namespace=machine.this_process().namespace, pid=pid, started=0)


def _wait_for_exit(pid):
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
