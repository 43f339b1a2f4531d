"""A vault that opens with a passphrase from elsewhere: one try at a time, and each wrong one costs more."""

from datetime import timedelta

import pytest

from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, PassphraseNeeded, Temporary
from doorkey.service.unlocking import Unlocking
from doorkey.testing.clock import FakeClock

RIGHT, WRONG = Secret("open sesame"), Secret("open sesam")


class Vault:
    """A vault that is locked until the right passphrase comes; `problem` is what keeps it shut."""

    def __init__(self):
        self.problem: KeyUnreadable | None = PassphraseNeeded("Nobody has typed it.")
        self.tried = []
        self.told = 0

    def check(self):
        if self.problem:
            raise self.problem

    def attempt(self, passphrase):
        self.tried.append(passphrase)
        if passphrase != RIGHT:
            raise KeyUnreadable("That is not the passphrase.")
        self.problem = None

    def opened(self):
        self.told += 1


@pytest.fixture
def vault():
    return Vault()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def unlocking(vault, clock):
    return Unlocking(check=vault.check, attempt=vault.attempt, clock=clock, opened=vault.opened)


def wrong(unlocking):
    with pytest.raises(KeyUnreadable):
        unlocking.unlock(WRONG)


def test_the_right_one_opens_it_and_is_told_once(unlocking, vault):
    unlocking.unlock(RIGHT)
    unlocking.unlock(RIGHT)

    assert unlocking.problem() is None
    assert (vault.tried, vault.told) == ([RIGHT], 1)


def test_a_wrong_one_leaves_it_locked(unlocking, vault):
    wrong(unlocking)

    assert isinstance(unlocking.problem(), PassphraseNeeded)
    assert vault.told == 0


def test_what_comes_too_early_after_a_wrong_one_is_not_tried(unlocking, vault):
    wrong(unlocking)

    with pytest.raises(Temporary) as refusal:
        unlocking.unlock(RIGHT)

    assert refusal.value.retry_after == 1
    assert vault.tried == [WRONG]


def test_the_wait_grows_to_a_minute_and_no_further(unlocking, clock):
    waits = []
    for _ in range(100):
        wrong(unlocking)
        waits.append(unlocking.wait.total_seconds())
        clock.sleep(unlocking.wait)

    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(waits[7:]) == {60}


def test_the_right_one_after_the_wait_ends_it(unlocking, clock):
    wrong(unlocking)
    clock.sleep(timedelta(seconds=1))

    unlocking.unlock(RIGHT)

    assert unlocking.wait == timedelta(0)


def test_a_clock_that_was_set_back_locks_nobody_out(unlocking, clock):
    wrong(unlocking)
    clock.time -= timedelta(days=1)

    unlocking.unlock(RIGHT)

    assert unlocking.problem() is None


def test_another_problem_is_told_and_nothing_is_tried(unlocking, vault):
    vault.problem = KeyUnreadable("The key file is gone.")

    with pytest.raises(KeyUnreadable, match="gone"):
        unlocking.unlock(RIGHT)

    assert vault.tried == []
    assert not unlocking.wait


def test_two_are_not_tried_at_once(vault, clock):
    def attempt(passphrase):
        with pytest.raises(Temporary, match="already"):
            at_once.unlock(passphrase)
        vault.attempt(passphrase)

    at_once = Unlocking(check=vault.check, attempt=attempt, clock=clock, opened=vault.opened)

    at_once.unlock(RIGHT)

    assert vault.tried == [RIGHT]
