import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import (
    DoorkeyError,
    Misconfigured,
    PolicyRefused,
    ProviderUnavailable,
    SignInNeeded,
    UnknownName,
    UsageLimitReached,
)
from doorkey.providers.refusals import ENDED, POLICY, USED_UP, in_stream, refusal
from doorkey.testing.values import HOUR, NOON

CANARY = "canary-c0de"


def read(status, body=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, now=NOON)


def openai(code, **more):
    return {"error": {"code": code, "message": f"{CANARY} went wrong"} | more}


def anthropic(kind, message=""):
    return {"type": "error", "error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        *[(429, openai(code), UsageLimitReached) for code in USED_UP],
        (429, {"error": {"type": "usage_limit_reached", "plan_type": "plus"}}, UsageLimitReached),
        (429, openai("rate_limit_exceeded"), ProviderUnavailable),
        (429, anthropic("rate_limit_error"), ProviderUnavailable),
        (529, anthropic("overloaded_error"), ProviderUnavailable),
        (503, openai("subscription_sharing_usage_unavailable"), ProviderUnavailable),
        (503, openai("subscription_sharing_user_unavailable"), ProviderUnavailable),
        (408, b"", ProviderUnavailable),
        (502, b"<html>", ProviderUnavailable),
        *[(403, openai(code), PolicyRefused) for code in POLICY],
        *[(429, openai(code), PolicyRefused) for code in POLICY],
        (403, openai("chatpass_v2_scope_not_authorized"), PolicyRefused),
        (403, openai("chatpass_v2_invalid_authorization_context"), PolicyRefused),
        (429, openai("chatpass_v2_something_new"), PolicyRefused),
        (429, {"error": {"type": "usage_not_included", "plan_type": "free"}}, PolicyRefused),
        (429, anthropic("rate_limit_error", "Third-party apps now draw from your extra usage"), PolicyRefused),
        (
            400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the API."),
            UsageLimitReached,
        ),
        (402, {"error": {"code": 402, "message": "Insufficient credits"}}, UsageLimitReached),
        (503, openai("slow_down"), ProviderUnavailable),
        (400, anthropic("invalid_request_error", "Third-party apps now draw from your extra usage"), PolicyRefused),
        (400, anthropic("invalid_request_error", "You're out of extra usage."), PolicyRefused),
        (400, anthropic("invalid_request_error", "is only authorized for use with Claude Code"), PolicyRefused),
        (403, {"detail": "no"}, PolicyRefused),
        (401, openai("token_expired"), SignInNeeded),
        (401, openai("subscription_sharing_invalid_user"), SignInNeeded),
        (401, anthropic("authentication_error", "OAuth token has expired"), SignInNeeded),
        (401, {"detail": "no"}, SignInNeeded),
        (401, {"error": "invalid_token"}, SignInNeeded),
        (404, openai("model_not_found"), UnknownName),
        (400, openai("model_not_found"), UnknownName),
        (404, anthropic("not_found_error", "model: x"), UnknownName),
        (400, {"detail": "The 'x' model is not supported when using Codex with a ChatGPT account."}, UnknownName),
        (400, openai("subscription_sharing_unsupported_capability", param="seed"), Misconfigured),
        (400, {"detail": "Unsupported parameter: seed"}, Misconfigured),
        (422, b"[]", Misconfigured),
    ],
)
def test_a_refusal_means_one_thing(status, body, error):
    refused = read(status, body)

    assert type(refused) is error
    assert CANARY not in f"{refused}{refused.hint}"


@pytest.mark.parametrize(
    ("body", "headers", "until"),
    [
        (openai("usage_limit_reached", resets_at=(NOON + HOUR).timestamp()), {}, NOON + HOUR),
        (openai("usage_limit_reached", resets_in_seconds=90), {}, NOON + timedelta(seconds=90)),
        (openai("usage_limit_reached"), {"retry_after": "60"}, NOON + timedelta(seconds=60)),
        (openai("subscription_sharing_usage_limit_exceeded"), {}, None),
        (openai("usage_limit_reached", resets_at=10**20), {}, None),
        (openai("usage_limit_reached", resets_in_seconds=10**20), {}, None),
        (openai("usage_limit_reached", resets_at=(NOON + 9000 * HOUR).timestamp()), {}, NOON + timedelta(days=31)),
        (openai("usage_limit_reached", resets_in_seconds=10**8), {}, NOON + timedelta(days=31)),
        (openai("usage_limit_reached"), {"retry_after": "99999999999"}, NOON + timedelta(days=31)),
        (openai("usage_limit_reached"), {"retry_after": "Tue, 01 Jan 2030 13:00:00 GMT"}, NOON + HOUR),
        (openai("usage_limit_reached", resets_at="soon"), {}, None),
    ],
)
def test_a_limit_opens_when_the_provider_says_so_and_no_time_is_invented(body, headers, until):
    assert read(429, body, **headers).until == until


def test_a_busy_provider_says_how_long_to_wait():
    assert read(429, b"", retry_after="12").retry_after == 12
    assert read(503, b"", retry_after="tomorrow").retry_after is None


@given(
    status=st.integers(400, 599),
    body=st.recursive(
        st.none() | st.integers() | st.floats() | st.just(CANARY) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["error", "code", "type", "message", "detail", "resets_at", "resets_in_seconds"]), inner
            )
        ),
        max_leaves=6,
    ),
)
def test_no_body_breaks_the_reading_or_is_repeated(status, body):
    refused = read(status, json.dumps(body).encode())

    assert isinstance(refused, DoorkeyError)
    assert CANARY not in f"{refused}{refused.hint}"


def test_a_429_with_a_long_wait_is_a_used_up_allowance_and_says_until_when():
    refused = read(429, openai("rate_limit_exceeded"), **{"retry-after": "600"})

    assert isinstance(refused, UsageLimitReached)
    assert refused.until == NOON + timedelta(seconds=600)


def test_a_429_with_a_short_wait_asks_to_slow_down():
    refused = read(429, openai("rate_limit_exceeded"), **{"retry-after": "20"})

    assert isinstance(refused, ProviderUnavailable)
    assert refused.retry_after == 20


def test_a_429_is_a_used_up_plan_where_the_headers_say_that_a_window_is_full():
    headers = {
        "retry-after": "5",
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-reset-at": str(int((NOON + HOUR).timestamp())),
        "x-codex-secondary-used-percent": "30",
    }

    refused = read(429, openai("who_knows"), **headers)

    assert isinstance(refused, UsageLimitReached)
    assert refused.until == NOON + HOUR


def test_a_429_whose_headers_tell_of_a_full_rate_asks_to_slow_down():
    headers = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0", "retry-after": "5"}

    assert isinstance(read(429, openai("rate_limit_exceeded"), **headers), ProviderUnavailable)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        *[({"code": code}, UsageLimitReached) for code in USED_UP],
        *[({"code": code}, PolicyRefused) for code in POLICY],
        *[({"code": code}, SignInNeeded) for code in ENDED],
        ({"code": "chatpass_v2_scope_not_authorized"}, PolicyRefused),
        ({"code": "subscription_sharing_usage_unavailable"}, ProviderUnavailable),
        ({"code": "subscription_sharing_unsupported_capability"}, Misconfigured),
        ({"type": "overloaded_error"}, ProviderUnavailable),
        ({"type": "rate_limit_error"}, ProviderUnavailable),
        ({"code": "model_not_found"}, UnknownName),
        ({"code": "who_knows", "message": CANARY}, ProviderUnavailable),
        ({}, ProviderUnavailable),
    ],
)
def test_an_error_inside_an_answer_means_the_same_as_before_it(fault, error):
    told = in_stream(fault, now=NOON)

    assert type(told) is error
    assert CANARY not in f"{told}{told.hint}"
