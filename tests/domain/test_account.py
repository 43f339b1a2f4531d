from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import RENEWAL, Identity, Proof, Standing, State
from doorkey.testing.values import HOUR, NOON, an_account, an_identity, some_tokens

LATER = NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.LAPSED),
        ({"renews": False}, State.SIGN_IN_NEEDED),
        ({"renews": False, "expires_at": None}, State.READY),
        ({"expires_at": LATER + HOUR}, State.READY),
        ({"standing": Standing(state=State.BLOCKED)}, State.BLOCKED),
        ({"standing": Standing(state=State.SIGN_IN_NEEDED)}, State.SIGN_IN_NEEDED),
        ({"standing": Standing(state=State.OVER_LIMIT)}, State.OVER_LIMIT),
        ({"standing": Standing(state=State.OVER_LIMIT, until=LATER + HOUR)}, State.OVER_LIMIT),
        ({"standing": Standing(state=State.OVER_LIMIT, until=LATER), "expires_at": None}, State.READY),
        ({"standing": Standing(state=State.OVER_LIMIT, until=LATER)}, State.LAPSED),
        ({"standing": Standing(state=State.OFF)}, State.OFF),
    ],
)
def test_how_an_account_stands_two_hours_later(changes, state):
    assert an_account(**changes).state(LATER) is state


def test_an_email_address_makes_no_identity():
    one, other = an_identity(email="ada@example.com"), an_identity(email="ada@lab.example", name="Ada", plan="pro")

    assert one.key == other.key


@pytest.mark.parametrize("part", ["issuer", "subject", "workspace"])
def test_each_part_of_an_identity_tells_accounts_apart(part):
    assert an_identity().key != an_identity(**{part: "another"}).key


@pytest.mark.parametrize(
    ("name", "identity", "label"),
    [
        ("work", Identity(email="ada@example.com"), "work"),
        (None, Identity(email="ada@example.com", name="Ada"), "ada@example.com"),
        (None, Identity(name="Ada", subject="1"), "Ada"),
        (None, Identity(subject="1"), "1"),
        (None, Identity(), "acme oauth"),
    ],
)
def test_an_account_is_called_by_its_name_or_by_who_it_is(name, identity, label):
    assert an_account(name=name, identity=identity).label == label


@pytest.mark.parametrize("proof", [None, Proof(NOON, "sign-in")])
def test_what_was_never_renewed_is_not_recently_renewed(proof):
    assert not an_account(standing=Standing(proof=proof)).recently_renewed(some_tokens(), NOON)


@pytest.mark.parametrize(("age", "recent"), [(0, True), (59, True), (60, False), (-59, True), (-3600, False)])
def test_a_minute_after_its_renewal_a_token_is_no_longer_new(age, recent):
    tokens = replace(some_tokens(), issued_at=NOON)
    account = an_account(standing=Standing(proof=Proof(NOON, RENEWAL)))

    assert account.recently_renewed(tokens, NOON + timedelta(seconds=age)) is recent
