"""Several real processes on one vault: nothing is lost, nothing happens twice."""

import multiprocessing
from contextlib import closing
from datetime import timedelta

import pytest

from doorkey.adapters.store.sqlite import open_app
from doorkey.testing.values import a_conversation, a_run, held
from tests.adapters.store import races

pytestmark = pytest.mark.slow

TOGETHER = multiprocessing.get_context("spawn")
LONG = 60


def race(*calls):
    """Run each call in a process of its own, all from the same moment on."""
    start = TOGETHER.Barrier(len(calls), timeout=LONG)
    runners = [TOGETHER.Process(target=call, args=(*arguments, start)) for call, *arguments in calls]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(LONG)
    return [runner.exitcode for runner in runners]


def test_first_runs_at_once_agree_on_one_key(tmp_path):
    ended = race(*((races.first_run, tmp_path, number) for number in range(4)))

    with closing(races.open_here(tmp_path)) as vault:
        loaded = {vault.accounts.load(account.id).tokens.access.reveal() for account in vault.accounts.all()}
    assert ended == [0] * 4
    assert loaded == {f"access-{number}" for number in range(4)}


def test_no_renewal_overwrites_another(tmp_path):
    with closing(races.open_here(tmp_path)) as vault:
        vault.accounts.save(held(id="acc_1"), read=None)

        ended = race((races.renew, tmp_path, 20), (races.renew, tmp_path, 20))

        mine = vault.accounts.load("acc_1")
    assert ended == [0, 0]
    assert mine.account.generation == 40
    assert mine.tokens.access.reveal() == "access-40"


def test_a_lease_lets_one_in_at_a_time(tmp_path):
    with closing(races.open_here(tmp_path)) as vault:
        ended = race((races.lease, tmp_path, 20), (races.lease, tmp_path, 20))

        assert ended == [0, 0]
        assert vault.choices.get("count") == "40"


def test_the_lease_of_a_process_that_died_is_taken_over_at_once(tmp_path):
    with closing(races.open_here(tmp_path)) as vault:
        ended = race((races.die_holding, tmp_path))

        taken = vault.leases.take("acc_1", timedelta(seconds=40))

    assert ended == [0]
    assert taken is not None


def test_events_of_two_processes_are_numbered_without_gaps(tmp_path):
    with closing(open_app(tmp_path / "data")) as app:
        conversation = a_conversation()
        run = a_run(conversation.id)
        app.conversations.save(conversation)
        app.runs.save(run)

        ended = race((races.append, tmp_path, run.id, 50), (races.append, tmp_path, run.id, 50))

        numbers = [event.number for event in app.events.since(run.id, 0)]
    assert ended == [0, 0]
    assert numbers == list(range(1, 101))
