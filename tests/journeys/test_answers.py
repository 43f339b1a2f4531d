"""The app and `doorkey chat` over one home: who makes an answer is left to it, and stops when asked."""

import asyncio
import signal
import time

import pytest

from doorkey.domain.conversation import RunState
from tests.journeys.person import sign_in
from tests.journeys.program import PATIENCE

pytestmark = pytest.mark.slow

SOON = 2
"""Seconds in which a stop must have reached another program, the slowness of a busy machine included."""


@pytest.fixture
def talking(program, practice):
    """Let `doorkey chat` wait for the first word of its answer."""
    sign_in(program, "acme")
    practice.sandbox.faults.add("slow", endpoint="model", seconds=PATIENCE)
    talking = program.start("chat", "--model", "acme:practice-small", "Hello")
    end = time.monotonic() + PATIENCE
    while practice.sandbox.faults.waiting():
        assert time.monotonic() < end
        time.sleep(0.01)
    return talking


async def with_engine(house, act):
    engine = house.engine()
    try:
        return await act(engine)
    finally:
        await engine.close()


def the_run(house):
    (chat,) = house.stores.conversations.all()
    (run,) = house.stores.runs.of(chat.id)
    return run


def test_an_app_that_starts_meanwhile_leaves_the_answer_alone(program, talking):
    with program.house() as house:
        asyncio.run(with_engine(house, lambda engine: engine.recover()))
        state = the_run(house).state
    talking.send_signal(signal.SIGINT)
    program.finish(talking)

    assert state is RunState.RUNNING


def test_an_app_that_starts_after_a_kill_sets_the_answer_right_at_once(program, talking):
    talking.send_signal(signal.SIGKILL)
    program.finish(talking)

    with program.house() as house:
        asyncio.run(with_engine(house, lambda engine: engine.recover()))

        assert the_run(house).state is RunState.INTERRUPTED


def test_a_stop_in_the_app_ends_the_answer_of_the_terminal(program, talking):
    with program.house() as house:
        begun = time.monotonic()
        stopped = asyncio.run(with_engine(house, lambda engine: engine.stop(the_run(house).id)))
        took = time.monotonic() - begun
    program.finish(talking)

    assert stopped.state is RunState.STOPPED
    assert took < SOON


def test_a_second_prompt_for_a_chat_that_is_answered_elsewhere_is_refused(program, talking):
    with program.house() as house:
        chat = the_run(house).conversation
        refused = asyncio.run(
            with_engine(house, lambda engine: asyncio.gather(engine.start(chat, "Two"), return_exceptions=True))
        )
    talking.send_signal(signal.SIGINT)
    program.finish(talking)

    assert [str(each) for each in refused] == ["An answer of this chat is not finished yet."]


def test_no_answer_touches_the_vault_for_its_claim(program, talking):
    with program.house() as house:
        before = house.vault.accounts.version()
        asyncio.run(with_engine(house, lambda engine: engine.stop(the_run(house).id)))

        assert house.vault.accounts.version() == before
    program.finish(talking)
