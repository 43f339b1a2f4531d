from datetime import UTC, datetime, timedelta

from doorkey.adapters.system import SystemClock, SystemEntropy


def test_the_clock_tells_utc():
    before = datetime.now(UTC)

    told = SystemClock().now()

    assert told.tzinfo is UTC
    assert before <= told <= datetime.now(UTC)


def test_a_negative_wait_is_none():
    SystemClock().sleep(timedelta(seconds=-1))


def test_chance_has_the_asked_size_and_never_repeats():
    entropy = SystemEntropy()

    drawn = {entropy.bytes(32) for _ in range(100)}

    assert {len(chance) for chance in drawn} == {32}
    assert len(drawn) == 100
