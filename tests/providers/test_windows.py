from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.window import Told
from doorkey.providers.windows import read_windows
from doorkey.testing.values import HOUR, NOON

LATER = int((NOON + HOUR).timestamp())
NAMES = [
    *[f"x-codex-{which}-{fact}" for which in ("primary", "secondary") for fact in (
        "used-percent", "window-minutes", "reset-at", "reset-after-seconds")],
    "x-codex-spark-primary-used-percent",
    *[f"anthropic-ratelimit-unified-{claim}-{fact}" for claim in ("5h", "7d", "7d_oi", "overage") for fact in (
        "utilization", "status", "reset")],
    *[f"x-ratelimit-{fact}-{what}" for fact in ("limit", "remaining", "reset") for what in ("requests", "tokens")],
    *[f"anthropic-ratelimit-{what}-{fact}" for fact in ("limit", "remaining", "reset") for what in (
        "requests", "input-tokens")],
]  # fmt: skip


def read(headers):
    return [(each.name, each.used_percent, each.resets_at) for each in read_windows(headers, NOON)]


def test_codex_tells_a_window_for_each_length_and_each_further_limit():
    headers = {
        "x-codex-primary-used-percent": "12.5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(LATER),
        "x-codex-secondary-used-percent": "97",
        "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-after-seconds": "7200",
        "x-codex-spark-primary-used-percent": "3",
    }

    assert read(headers) == [
        ("5 hours", 12.5, NOON + HOUR),
        ("7 days", 97.0, NOON + 2 * HOUR),
        ("spark, primary", 3.0, None),
    ]


def test_claude_tells_shares_of_one_and_seconds_since_1970():
    headers = {
        "anthropic-ratelimit-unified-status": "allowed_warning",
        "anthropic-ratelimit-unified-5h-utilization": "0.42",
        "anthropic-ratelimit-unified-5h-reset": str(LATER),
        "anthropic-ratelimit-unified-7d-utilization": "0.055",
        "anthropic-ratelimit-unified-7d_oi-status": "rejected",
        "anthropic-ratelimit-unified-overage-status": "rejected",
    }

    assert read(headers) == [("5 hours", 42.0, NOON + HOUR), ("7 days", 5.5, None), ("7 days, oi", 100.0, None)]


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        ("6m0s", timedelta(minutes=6)),
        ("120ms", timedelta(milliseconds=120)),
        ("1h2m3.5s", timedelta(hours=1, minutes=2, seconds=3.5)),
        ("30", timedelta(seconds=30)),
    ],
)
def test_openai_tells_how_long_until_a_rate_recovers(reset, wait):
    headers = {
        "x-ratelimit-limit-requests": "200",
        "x-ratelimit-remaining-requests": "150",
        "x-ratelimit-reset-requests": reset,
    }

    (window,) = read_windows(headers, NOON)

    assert (window.name, window.used_percent, window.resets_at) == ("requests a minute", 25.0, NOON + wait)
    assert window.is_rate


def test_anthropic_tells_when_a_rate_recovers():
    headers = {
        "anthropic-ratelimit-input-tokens-limit": "1000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2030-01-01T13:00:00Z",
    }

    (window,) = read_windows(headers, NOON)

    assert (window.name, window.used_percent, window.resets_at) == ("input tokens a minute", 100.0, NOON + HOUR)
    assert (window.source, window.as_of, window.is_rate) == (Told.HEADERS, NOON, True)


def test_a_reset_that_is_years_away_is_as_good_as_none():
    headers = {"x-codex-primary-used-percent": "5", "x-codex-primary-reset-at": str(LATER + 10 * 365 * 86400)}

    assert read(headers) == [("primary", 5.0, None)]


def test_what_is_no_number_is_no_reading():
    for nonsense in ("", "many", "-5", "nan", "inf", "1e400", "٣"):
        assert read({"x-codex-primary-used-percent": nonsense}) == []


def test_an_answer_without_such_headers_tells_nothing():
    assert read({"content-type": "application/json", "retry-after": "5"}) == []


@given(
    headers=st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(
            st.integers(-(10**20), 10**20).map(str),
            st.floats().map(str),
            st.datetimes().map(lambda each: each.isoformat()),
            st.datetimes().map(lambda each: f"{each.isoformat()}+23:59"),
            st.from_regex(r"(\d{0,12}[hms]){0,4}(ms)?", fullmatch=True),
            st.text(max_size=12),
        ),
    )
)
def test_no_header_breaks_the_reading(headers):
    for window in read_windows(headers, NOON):
        assert window.used_percent is None or 0 <= window.used_percent <= 100
        assert window.resets_at is None or window.resets_at - NOON <= timedelta(days=366)
