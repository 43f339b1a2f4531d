import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.attempt import Callback
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, Misconfigured
from doorkey.flows import wire
from doorkey.testing.script import METHOD, answer
from doorkey.testing.values import HOUR, NOON, an_attempt, some_tokens

CANARY = "canary-77aa"


def jwt(**claims):
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{middle}.signature"


def read(before=None, **fields):
    tokens, _ = wire.read_tokens(answer(200, {"access_token": "new"} | fields), NOON, before)
    return tokens


@pytest.mark.parametrize("lifetime", [3600, 3600.0, "3600"])
def test_a_lifetime_is_read_as_number_and_as_text(lifetime):
    assert read(expires_in=lifetime).expires_at == NOON + HOUR


@pytest.mark.parametrize("lifetime", [10**12, 10**400, "9" * 15, float("inf")])
def test_an_endless_lifetime_is_cut(lifetime):
    assert read(expires_in=lifetime).expires_at == NOON + wire.LONGEST_LIFE


@pytest.mark.parametrize("lifetime", [None, True, -1, "soon", "9" * 5000, [], {}, float("nan")])
def test_a_lifetime_that_is_none_is_left_open(lifetime):
    assert read(expires_in=lifetime).expires_at is None


def test_the_end_of_a_jwt_is_a_hint_where_no_lifetime_is_given():
    ends = NOON + 2 * HOUR

    assert read(access_token=jwt(exp=ends.timestamp())).expires_at == ends
    assert read(access_token=jwt(exp=ends.timestamp()), expires_in=60).expires_at == NOON + timedelta(seconds=60)


@pytest.mark.parametrize(
    "token", ["a.b", "a.!.c", "a.é.c", "a.W10.c", f"a.{'W' * 9}.c", jwt(exp=10**30), jwt(exp="x"), jwt()]
)
def test_a_token_that_is_no_jwt_gives_no_hint(token):
    assert read(access_token=token).expires_at is None


@pytest.mark.parametrize(
    "said",
    [1_893_499_200, 1_893_499_200.0, "1893499200", "2030-01-01T12:00:00+00:00", "2030-01-01T12:00:00Z",
     "2030-01-01T13:00:00+01:00", "2030-01-01T12:00:00"],
)  # fmt: skip
def test_the_earliest_refresh_is_read_as_number_and_as_text(said):
    assert read(earliest_refresh_at=said).earliest_refresh_at == datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", [None, True, "", "tomorrow", "9" * 400, 10**40, -(10**40), [], {}, "0001-01-01T00:00+14:00"]
)
def test_an_earliest_refresh_that_is_rubbish_is_ignored(said):
    assert read(earliest_refresh_at=said).earliest_refresh_at is None


def by_a_server_at(moment, **fields):
    said = answer(200, {"access_token": "new"} | fields, date=format_datetime(moment, usegmt=True))
    tokens, _ = wire.read_tokens(said, NOON)
    return tokens


@pytest.mark.parametrize("ahead", [-HOUR, timedelta(minutes=-2), timedelta(minutes=2), timedelta(hours=14)])
def test_what_the_servers_clock_says_is_told_by_ours(ahead):
    ends = NOON + ahead + HOUR

    tokens = by_a_server_at(NOON + ahead, access_token=jwt(exp=ends.timestamp()), earliest_refresh_at=ends.isoformat())

    assert tokens.expires_at == tokens.earliest_refresh_at == NOON + HOUR


@pytest.mark.parametrize("ahead", [timedelta(seconds=60), timedelta(seconds=-30), timedelta(days=2), timedelta(-400)])
def test_clocks_that_agree_and_clocks_that_cannot_be_right_correct_nothing(ahead):
    assert by_a_server_at(NOON + ahead, access_token=jwt(exp=(NOON + HOUR).timestamp())).expires_at == NOON + HOUR


def test_a_lifetime_needs_no_clock_of_the_server():
    assert by_a_server_at(NOON + 3 * HOUR, expires_in=3600).expires_at == NOON + HOUR


@pytest.mark.parametrize(
    "said",
    ["", "soon", "Tue, 99 Jan 2030 12:00:00 GMT", "Tue, 01 Jan 0001 00:00:00 +1400", "Tue, 01 Jan 2030 13:00:00 -0000"],
)
def test_a_date_that_is_none_is_ignored(said):
    response = answer(200, {"access_token": jwt(exp=(NOON + HOUR).timestamp())}, date=said)

    tokens, _ = wire.read_tokens(response, NOON)

    assert tokens.expires_at == NOON + HOUR


def test_what_a_renewal_leaves_out_stays_as_it_was():
    before = replace(some_tokens(), scope="openid", id_token=Secret("proof"))

    tokens = read(before)

    assert tokens.access == Secret("new")
    assert (tokens.refresh, tokens.scope, tokens.id_token) == (before.refresh, "openid", Secret("proof"))
    assert tokens.issued_at == NOON


def test_what_a_renewal_replaces_is_replaced():
    tokens = read(some_tokens(), refresh_token="next", scope="", id_token="proof-2")

    assert (tokens.refresh, tokens.scope, tokens.id_token) == (Secret("next"), "", Secret("proof-2"))


@pytest.mark.parametrize("rubbish", [7, None, "", [], {}])
def test_a_refresh_token_that_is_none_keeps_the_old(rubbish):
    assert read(some_tokens(), refresh_token=rubbish).refresh == some_tokens().refresh


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["access_token", "refresh_token", "id_token", "expires_in", "scope", "error", "error_code", "earliest_refresh_at"]
)


@given(status=st.sampled_from([200, 201, 302, 400, 401, 404, 429, 503]), body=st.dictionaries(FIELDS, JSON))
def test_no_answer_breaks_the_reading_or_is_repeated_in_an_error(status, body):
    told, tokens = "", some_tokens()
    try:
        tokens, _ = wire.read_tokens(answer(status, body), NOON, tokens)
    except DoorkeyError as error:
        told = f"{error!r}{error.hint}"

    assert CANARY not in told
    assert tokens.access.digest()
    assert tokens.freshness(NOON)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body):
    with pytest.raises(DoorkeyError):
        wire.read_tokens(answer(200, body), NOON)


def test_a_code_is_exchanged_with_its_verifier():
    attempt = an_attempt()

    request = wire.code_request(METHOD, attempt, Callback(Secret("code-1"), "issued"))

    assert request.form == {
        "grant_type": "authorization_code",
        "client_id": "issued",
        "code": Secret("code-1"),
        "code_verifier": attempt.verifier,
        "redirect_uri": attempt.redirect,
    }


def test_the_resource_is_named_in_the_exchange_and_in_the_renewal():
    method = replace(METHOD, resource="https://api.example/v1")

    exchange = wire.code_request(method, an_attempt(), Callback(Secret("code-1"), "client-1"))
    renewal = wire.refresh_request(method, "client-1", Secret("refresh"))

    assert exchange.form["resource"] == renewal.form["resource"] == "https://api.example/v1"


def test_where_json_is_wanted_the_body_is_json_with_the_state():
    method = replace(METHOD, token_body="json", state_in_token_body=True)
    attempt = an_attempt()

    request = wire.code_request(method, attempt, Callback(Secret("code-1"), "client-1"))

    assert request.form is None
    assert request.json["state"] == attempt.state


def test_the_renewal_can_want_another_body_than_the_exchange():
    method = replace(METHOD, token_body="form", refresh_body="json")

    assert wire.refresh_request(method, "client-1", Secret("refresh")).json is not None


@pytest.mark.parametrize("body", ["form", "json"])
def test_a_revocation_names_the_token_and_its_kind(body):
    request = wire.revoke_request(replace(METHOD, revoke_body=body), "client-1", Secret("gone"), "refresh_token")

    assert (request.form or request.json) == {
        "token": Secret("gone"),
        "token_type_hint": "refresh_token",
        "client_id": "client-1",
    }


def test_an_address_that_is_not_configured_is_said_so():
    nowhere = replace(METHOD, token_url=None, revoke_url=None)

    with pytest.raises(Misconfigured):
        wire.refresh_request(nowhere, "client-1", Secret("refresh"))
    with pytest.raises(Misconfigured):
        wire.revoke_request(nowhere, "client-1", Secret("refresh"), "refresh_token")


def test_no_secret_shows_in_a_request_that_is_printed():
    request = wire.refresh_request(METHOD, "client-1", Secret(CANARY))

    assert CANARY not in repr(request)
