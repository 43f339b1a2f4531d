"""Two machines over one PostgreSQL database: each with a home of its own, one key, and one refresh for both."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import psycopg
import pytest

from doorkey.domain.attempt import Status
from doorkey.domain.conversation import RunState
from doorkey.testing.practice import approve, type_code
from tests.journeys.configs import config
from tests.journeys.person import Login, sign_in
from tests.journeys.program import PATIENCE, Program

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def machines(home, practice, postgres_url):
    """Two installations that share a database and a key, and nothing else."""
    environ = {"DOORKEY_DATABASE_URL": postgres_url, "DOORKEY_KEY": base64.b64encode(os.urandom(32)).decode()}
    both = [Program(home / name, dict(environ)) for name in ("desk", "laptop")]
    for each in both:
        each.configure(config(practice.url))
    return both


def test_who_signed_in_on_one_machine_is_signed_in_on_the_other(machines):
    desk, laptop = machines
    account = sign_in(desk, "acme", "--name", "work")

    token = laptop.run("token", "acme", "--account", "work")

    assert laptop.accounts() == [account]
    assert token.out == desk.run("token", "acme").out
    assert not list(desk.home.glob("*.db"))


def test_a_code_that_one_machine_showed_is_asked_about_by_the_other_when_that_one_dies(machines, practice, wire):
    desk, laptop = machines
    login = Login(desk, "acme", "--device", "--no-browser")
    with laptop.house() as house:
        (row,) = house.vault.attempts._database.rows("SELECT id FROM attempts")
        found = house.services.sign_ins.find(row["id"])
        assert found.attempt.device.user_code == login.begun["user_code"]
        login.process.kill()
        login.end()
        type_code(practice.url, login.begun["user_code"])

        looks = 0
        while not found.over.wait(1) and looks < PATIENCE:
            house.services.sign_ins.find(row["id"])
            looks += 1

    assert [account["identity"] for account in desk.accounts()] == ["ada@practice.example"]
    assert not any(b"slow_down" in exchange.answer for exchange in wire.to("/token"))


def test_both_machines_share_one_slow_refresh(machines, practice):
    desk, laptop = machines
    sign_in(desk, "acme")
    desk.grow_old(before_its_end=timedelta(0))
    practice.sandbox.faults.add("slow", endpoint="token", seconds=1.5)

    running = [(machine, machine.start("token", "acme")) for machine in (desk, laptop) * 2]
    ended = [machine.finish(process) for machine, process in running]

    assert [each.code for each in ended] == [0] * 4, ended
    assert len({each.out for each in ended}) == 1
    assert practice.sandbox.log.count(action="refresh_token") == 1


def test_a_machine_whose_program_is_killed_in_mid_refresh_is_followed(machines, practice, gate):
    desk, laptop = machines
    for each in machines:
        each.configure(gate.config)
    sign_in(desk, "acme")
    desk.grow_old(before_its_end=timedelta(0))
    gate.catch_next()

    holder = desk.start("token", "acme")
    assert gate.arrived.wait(30)
    holder.send_signal(signal.SIGKILL)
    desk.finish(holder)
    token = laptop.run("token", "acme")

    assert token.code == 0, token
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1


@pytest.mark.namespaces
def test_one_that_is_killed_where_nobody_else_can_see_it_is_followed_when_its_lease_ends(
    machines, practice, gate, unshared, postgres_url
):
    desk, laptop = machines
    for each in machines:
        each.configure(gate.config)
    sign_in(desk, "acme")
    desk.grow_old(before_its_end=timedelta(0))
    gate.catch_next()
    container = unshared("--pid", "--fork", "--kill-child", "--mount-proc")

    holder = desk._popen([*container, sys.executable, "-m", "doorkey", "token", "acme"], None, {})
    assert gate.arrived.wait(30)
    holder.kill()
    desk.finish(holder)
    waiting = laptop.start("token", "acme")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(3)
    with psycopg.connect(postgres_url) as clock:
        clock.execute("SET search_path TO doorkey_vault")
        clock.execute("UPDATE leases SET ends = ends - 60")  # A minute later.
    token = laptop.finish(waiting)

    assert token.code == 0, token
    assert practice.sandbox.log.count(action="refresh_token") == 1


def test_a_machine_that_is_killed_in_mid_answer_leaves_a_run_that_the_other_sets_right(machines, practice):
    desk, laptop = machines
    sign_in(desk, "acme")
    practice.sandbox.faults.add("slow", endpoint="model", seconds=PATIENCE)

    talking = desk.start("chat", "--model", "acme:practice-small", "Hello")
    until(lambda: not practice.sandbox.faults.waiting())
    with laptop.house() as house:
        asyncio.run(recover(house))
        (run,) = runs(house)
        assert run.state is RunState.RUNNING
        talking.send_signal(signal.SIGKILL)
        desk.finish(talking)
        asyncio.run(recover(house))
        (run,) = runs(house)

    assert run.state is RunState.INTERRUPTED


def test_a_stop_on_one_machine_ends_the_answer_of_the_other(machines, practice):
    desk, laptop = machines
    sign_in(desk, "acme")
    practice.sandbox.faults.add("slow", endpoint="model", seconds=PATIENCE)

    talking = desk.start("chat", "--model", "acme:practice-small", "Hello")
    until(lambda: not practice.sandbox.faults.waiting())
    with laptop.house() as house:
        (run,) = runs(house)
        stopped = asyncio.run(stop(house, run.id))
    desk.finish(talking)

    assert stopped.state is RunState.STOPPED


def runs(house):
    return [run for chat in house.stores.conversations.all() for run in house.stores.runs.of(chat.id)]


async def stop(house, run):
    engine = house.engine()
    stopped = await engine.stop(run)
    await engine.close()
    return stopped


async def recover(house):
    engine = house.engine()
    await engine.recover()
    await engine.close()


def until(happened):
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_reply_is_taken_by_another_machine_than_the_one_that_asked(machines):
    desk, laptop = machines
    with desk.house() as asking, laptop.house() as answering:
        sign_in = asking.services.sign_ins.start("acme", name="work")

        account = answering.services.sign_ins.reply(sign_in.id, approve(sign_in.url))

        found = asking.services.sign_ins.find(sign_in.id)
        assert (found.state, found.account) == (Status.SIGNED_IN, account)


def test_a_machine_with_another_key_reads_the_names_and_overwrites_nothing(machines):
    desk, laptop = machines
    sign_in(desk, "acme", "--name", "work")
    laptop.environ["DOORKEY_KEY"] = base64.b64encode(os.urandom(32)).decode()

    token, login = laptop.run("token", "acme"), laptop.run("login", "acme", "--method", "api-key", stdin="key-2\n")

    assert (token.code, login.code) == (6, 6)
    assert [(each["name"], each["state"]) for each in laptop.accounts()] == [("work", "key_unreadable")]
    assert desk.run("token", "acme").code == 0


def test_a_database_that_is_away_is_a_passing_fault_and_its_password_stays_in(machines):
    desk, _ = machines
    desk.environ["DOORKEY_DATABASE_URL"] = "postgresql://ada:canary-secret@127.0.0.1:9/vault"

    ended = [desk.run(*command, DOORKEY_DEBUG="1") for command in (["accounts"], ["token", "acme"], ["doctor"])]

    assert [each.code for each in ended][:2] == [4, 4]
    assert not any("canary" in each.out + each.err for each in ended)
