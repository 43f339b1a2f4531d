from datetime import timedelta

import pytest

from doorkey.domain.waiting import LONGEST_CLOSURE, retry_after
from doorkey.testing.values import NOON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12", 12), (" 0 ", 0), ("9" * 400, LONGEST_CLOSURE.total_seconds()), ("-1", None), ("1.5", None), ("٣", None)],
)
def test_seconds_are_read_and_bounded(text, seconds):
    assert retry_after({"retry-after": text}) == seconds


def test_a_date_counts_only_by_a_clock_that_agrees():
    headers = {"retry-after": "Tue, 01 Jan 2030 13:00:00 GMT"}

    assert retry_after(headers) is None
    assert retry_after(headers, NOON) == 3600
    assert retry_after(headers, NOON + timedelta(hours=2)) == 0


@pytest.mark.parametrize("headers", [{}, {"retry-after": ""}, {"retry-after": "tomorrow"}])
def test_what_says_nothing_is_nothing(headers):
    assert retry_after(headers, NOON) is None
