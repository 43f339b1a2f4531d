import pytest

from doorkey.service.launch import LIFETIME, LaunchGate
from doorkey.testing.clock import FakeClock
from doorkey.testing.script import CountedEntropy


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def gate(clock):
    return LaunchGate(clock, CountedEntropy())


def test_a_token_opens_one_session_and_works_once(gate):
    token, key = gate.mint()

    assert gate.redeem(token.reveal()) == key
    assert gate.redeem(token.reveal()) is None


def test_every_token_and_key_is_another_of_32_bytes(gate):
    minted = {secret.reveal() for _ in range(3) for secret in gate.mint()}

    assert len(minted) == 6
    assert {len(text) for text in minted} == {43}


@pytest.mark.parametrize("wrong", ["", "never-minted", "\ud800"])
def test_a_token_that_was_never_minted_opens_nothing(gate, wrong):
    gate.mint()

    assert gate.redeem(wrong) is None


def test_the_key_is_no_token(gate):
    token, key = gate.mint()

    assert gate.redeem(key.reveal()) is None
    assert gate.redeem(token.reveal()) == key


def test_a_token_grows_too_old(gate, clock):
    token, _ = gate.mint()
    clock.sleep(LIFETIME)

    assert gate.redeem(token.reveal()) is None
