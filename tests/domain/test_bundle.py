"""What is packed comes out again as it was, and nothing else comes out of anything else."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.account import Proof, Sent, Standing, State
from doorkey.domain.bundle import Bundle, pack, unpack
from doorkey.domain.secret import Secret
from doorkey.testing.values import HOUR, NOON, held, some_tokens

STANDING = Standing(
    state=State.OVER_LIMIT,
    reason="used up",
    until=NOON + HOUR,
    proof=Proof(NOON, "chat"),
    retry_at=NOON,
    failures=2,
    sent=Sent(NOON, "digest"),
)
FULL = held(
    some_tokens("ünï", id_token=Secret("id"), earliest_refresh_at=NOON, scope="openid models"),
    id="acc_full",
    name="work",
    generation=7,
    standing=STANDING,
)
BARE = held(some_tokens("key", refresh=None, expires_at=None), id="acc_bare", expires_at=None, renews=False)
BUNDLE = Bundle(
    made_at=NOON,
    accounts=(FULL, BARE),
    defaults={"acme": "acc_full"},
    consents={"method:acme:oauth": "2030-01-01T12:00:00+00:00"},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
# What stands in each place, so that a property reaches every branch.
PLACES = [
    ("made_at",),
    ("accounts",),
    ("accounts", 0),
    ("accounts", 0, "account"),
    ("accounts", 0, "account", "generation"),
    ("accounts", 0, "account", "payer"),
    ("accounts", 0, "account", "identity", "email"),
    ("accounts", 0, "account", "standing", "until"),
    ("accounts", 0, "account", "standing", "proof", "at"),
    ("accounts", 0, "tokens", "access"),
    ("accounts", 0, "tokens", "refresh"),
    ("defaults",),
    ("consents", "method:acme:oauth"),
]


def altered(place: tuple[str | int, ...], value: object) -> bytes:
    """Pack the bundle with something else in one place."""
    packed: Any = json.loads(pack(BUNDLE))
    *way, last = place
    at = packed
    for step in way:
        at = at[step]
    at[last] = value
    return json.dumps(packed).encode()


def test_a_bundle_comes_out_as_it_went_in():
    assert unpack(pack(BUNDLE)) == BUNDLE


def test_an_empty_bundle_is_one_too():
    empty = Bundle(made_at=NOON, accounts=(), defaults={}, consents={})

    assert unpack(pack(empty)) == empty


def test_what_has_a_default_may_be_missing():
    packed = json.loads(pack(BUNDLE))
    del packed["accounts"][1]["account"]["standing"]

    assert unpack(json.dumps(packed).encode()).accounts[1] == BARE


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_are_worse_than_a_value_error(packed):
    with pytest.raises(ValueError, match=r".+"):
        unpack(packed)


@given(st.sampled_from(PLACES), JSON)
def test_whatever_is_taken_can_be_packed_again(place, value):
    with suppress(ValueError):
        taken = unpack(altered(place, value))

        assert unpack(pack(taken)) == taken


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("made_at",), "2030-01-01T12:00:00"),
        (("made_at",), "9999-12-31T23:59:59-23:59"),
        (("accounts", 0, "account", "generation"), -1),
        (("accounts", 0, "account", "generation"), 1 << 70),
        (("accounts", 0, "account", "generation"), True),
        (("accounts", 0, "account", "renews"), 1),
        (("accounts", 0, "account", "payer"), "somebody"),
        (("accounts", 0, "account", "name"), "\ud800"),
        (("accounts", 0, "account", "unheard_of"), None),
        (("accounts", 0, "tokens", "access"), None),
        (("consents", "method:acme:oauth"), 1),
    ],
)
def test_what_the_store_could_not_keep_is_refused(place, value):
    packed = altered(place, value)

    with pytest.raises(ValueError, match=r".+"):
        unpack(packed)


def test_nesting_without_end_is_refused():
    with pytest.raises(ValueError, match="no bundle"):
        unpack(b"[" * 100_000)


def test_a_time_of_another_zone_is_read_in_utc():
    packed = altered(("made_at",), "2030-01-01T14:00:00+02:00")

    assert unpack(packed).made_at == NOON
    assert unpack(packed).made_at.utcoffset() == timedelta(0)
