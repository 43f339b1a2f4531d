from datetime import UTC, datetime

from doorkey.service.dates import clock, day


def test_a_clock_shows_this_computers_time():
    here = datetime(2030, 1, 2, 9, 5).astimezone()

    assert clock(here.astimezone(UTC)) == "2 January, 09:05"


def test_a_day_is_written_as_people_do():
    assert day(datetime(2026, 10, 5, tzinfo=UTC)) == "5 October 2026"
