from dataclasses import replace
from datetime import timedelta

from doorkey.domain.window import Told, Window, fullest
from doorkey.testing.values import HOUR, NOON

WINDOW = Window(name="5 hours", used_percent=85.0, resets_at=NOON + HOUR, source=Told.HEADERS, as_of=NOON)


def test_a_reading_tells_nothing_after_its_window_was_reset():
    before, after = WINDOW.at(NOON + HOUR - timedelta(seconds=1)), WINDOW.at(NOON + HOUR)

    assert before == WINDOW
    assert (after.used_percent, after.resets_at, after.as_of) == (None, None, NOON)


def test_a_reading_without_a_reset_stays():
    window = replace(WINDOW, resets_at=None)

    assert window.at(NOON + 1000 * HOUR) == window


def test_what_is_left_is_the_least_over_all_windows():
    week = replace(WINDOW, name="7 days", used_percent=97.0)
    unknown = replace(WINDOW, used_percent=None)
    rate = replace(WINDOW, used_percent=100.0, is_rate=True)

    assert fullest([WINDOW, unknown, week, rate]) == week
    assert fullest([unknown, rate]) is None
