import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.window import Told
from doorkey.providers import ALL
from doorkey.providers.usage_pages import PAGES, read_usage
from doorkey.testing.values import HOUR, NOON

LATER = (NOON + HOUR).timestamp()
ISO = "2030-01-01T13:00:00.5+00:00"


def read(name, body, page=0):
    return [(each.name, each.used_percent, each.resets_at) for each in read_usage(PAGES[name][page], body, NOON)]


def test_codex_tells_of_both_its_windows():
    body = {
        "plan_type": "plus",
        "rate_limit": {
            "primary_window": {"used_percent": 12, "limit_window_seconds": 18000, "reset_at": LATER},
            "secondary_window": {"used_percent": 100, "limit_window_seconds": 604800, "reset_at": LATER},
        },
    }

    assert read("codex", body) == [("5 hours", 12.0, NOON + HOUR), ("7 days", 100.0, NOON + HOUR)]


def test_claude_tells_of_the_plan_and_of_single_models():
    body = {
        "five_hour": {"utilization": 42.0, "resets_at": ISO},
        "seven_day": {"utilization": 7, "resets_at": None},
        "limits": [
            {"kind": "session", "percent": 42},
            {"kind": "weekly_scoped", "percent": 90, "scope": {"model": {"display_name": "Opus\x07"}}},
        ],
    }

    assert [(name, used) for name, used, _ in read("claude", body)] == [
        ("5 hours", 42.0),
        ("7 days", 7.0),
        ("7 days, Opus\N{REPLACEMENT CHARACTER}", 90.0),
    ]


def test_openrouter_tells_of_the_key_and_of_the_credits():
    assert read("openrouter", {"data": {"limit": 20, "limit_remaining": 5}}) == [("limit of this key", 75.0, None)]
    assert read("openrouter", {"data": {"limit": None, "usage": 5}}) == []
    assert read("openrouter", {"data": {"total_credits": 50, "total_usage": 49}}, 1) == [("credits", 98.0, None)]


def test_a_page_says_that_it_is_one():
    (window,) = read_usage(PAGES["codex"][0], {"rate_limit": {"primary_window": {"used_percent": 1}}}, NOON)

    assert (window.source, window.as_of, window.name) == (Told.PAGE, NOON, "primary")


def test_every_method_that_names_a_page_names_one_that_is_there():
    named = {method.usage for provider in ALL for method in provider.methods if method.usage}

    assert named <= set(PAGES)


KEYS = [
    "rate_limit", "primary_window", "secondary_window", "used_percent", "limit_window_seconds", "reset_at", "five_hour",
    "seven_day", "utilization", "resets_at", "limits", "kind", "percent", "scope", "model", "display_name", "data",
    "limit", "limit_remaining", "total_credits", "total_usage",
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("weekly_scoped"),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
        max_leaves=12,
    )
)
def test_no_body_breaks_the_reading(name, body):
    for page in PAGES[name]:
        for window in read_usage(page, body, NOON):
            assert 0 <= window.used_percent <= 100
