"""What was heard is kept in its turn."""

from datetime import timedelta

import pytest

from doorkey.adapters.ears import Ears
from doorkey.domain.account import State
from doorkey.errors import UsageLimitReached
from doorkey.service.hearing import MODEL_CALL, Heard
from doorkey.testing.clock import FakeClock
from doorkey.testing.memory import MemoryAccounts, MemoryReadings
from doorkey.testing.values import NOON, held


@pytest.fixture
def accounts():
    return MemoryAccounts()


@pytest.fixture
def ears(accounts):
    ears = Ears(accounts, MemoryReadings, FakeClock())
    yield ears
    ears.close()


def answered(account, at=NOON):
    return Heard(key=account.id, account=account.id, at=at, call=MODEL_CALL)


def test_what_was_heard_is_kept_when_somebody_looks(ears, accounts):
    kept = held()
    accounts.save(kept, read=None)
    ears.hear(answered(kept.account, NOON + timedelta(hours=1)))

    ears.settle()

    assert accounts.one(kept.account.id).standing.proof.call == MODEL_CALL


def test_what_ended_an_answer_is_kept_at_once_and_behind_its_beginning(ears, accounts):
    kept = held()
    accounts.save(kept, read=None)
    ears.hear(answered(kept.account))

    ears.note(kept.account, UsageLimitReached("Used up."))

    assert accounts.one(kept.account.id).standing.state is State.OVER_LIMIT
