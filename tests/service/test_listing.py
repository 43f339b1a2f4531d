import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from doorkey.domain.account import Origins, Proof, Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, SignInNeeded
from doorkey.ports import FoundKey
from doorkey.service.listing import ACTIONS, error_json, iso, sign_in_json
from doorkey.testing.values import HOUR, NOON, an_identity
from tests.service.fakes import ACME, IN_ENVIRONMENT, OAUTH
from tests.service.test_sign_in import reply_to

# Design section 5, with the reason and the one action that each state carries.
FIELDS = {
    "id", "name", "provider", "method", "identity", "plan", "workspace", "state", "until", "payer", "source",
    "expires_at", "ends_at", "last_proof", "default", "selected", "reason", "action", "storage",
}  # fmt: skip


def test_an_account_is_described_as_promised(house):
    account = house.keep(name="work", standing=Standing(proof=Proof(NOON, "chat")))

    assert house.listing.account(account) == {
        "id": account.id,
        "name": "work",
        "provider": "acme",
        "method": "oauth",
        "identity": "ada@example.com",
        "plan": "plus",
        "workspace": "workspace-1",
        "state": "ready",
        "reason": None,
        "until": None,
        "action": None,
        "payer": "plan",
        "source": "managed",
        "storage": "local",
        "expires_at": "2030-01-01T13:00:00Z",
        "ends_at": None,
        "last_proof": {"at": "2030-01-01T12:00:00Z", "call": "chat"},
        "default": True,
        "selected": "default for acme",
    }


def test_an_account_that_other_machines_see_says_so(house):
    shared, mine = house.keep(), house.keep(identity=an_identity(subject="another"))
    house.shared.add(shared.id)

    listed = {entry["id"]: entry["storage"] for entry in house.listing.accounts()}

    assert listed == {shared.id: "shared", mine.id: "local"}


def test_what_is_unknown_is_null_and_no_field_is_left_out(house):
    account = house.keep_key(identity=an_identity(email=None, plan=None, workspace=None))
    house.surroundings.keys = [FoundKey("OTHER_API_KEY", Secret("canary-1"), "environment")]

    kept, found = house.listing.accounts()

    assert set(kept) == set(found) == FIELDS
    assert kept["id"] == account.id
    assert [kept[name] for name in ("plan", "workspace", "until", "expires_at", "last_proof", "name")] == [None] * 6


def test_a_key_of_the_environment_is_listed_where_no_account_is(house):
    house.surroundings.keys = [IN_ENVIRONMENT]

    (found,) = house.listing.accounts()
    house.keep()
    (kept,) = house.listing.accounts()

    assert (found["id"], found["source"], found["payer"], found["default"]) == (
        "env:ACME_API_KEY",
        "env",
        "metered",
        True,
    )
    assert kept["source"] == "managed"


def test_a_key_of_a_file_says_which_file(house):
    house.surroundings.keys = [IN_ENVIRONMENT._replace(where="/projects/.env")]

    assert house.listing.accounts()[0]["identity"] == "ACME_API_KEY in /projects/.env"


@pytest.mark.parametrize(
    ("changes", "state", "reason", "action"),
    [
        ({}, "ready", None, None),
        ({"expires_at": NOON}, "lapsed", None, None),
        ({"expires_at": NOON, "renews": False}, "sign_in_needed", None, "reconnect"),
        ({"standing": Standing(state=State.SIGN_IN_NEEDED, reason="ended")}, "sign_in_needed", "ended", "reconnect"),
        ({"standing": Standing(state=State.BLOCKED, reason="no client")}, "blocked", "no client", "fix_config"),
        ({"standing": Standing(state=State.OVER_LIMIT, reason="used up")}, "over_limit", "used up", "wait"),
        ({"standing": Standing(state=State.OFF)}, "off", None, "switch_on"),
    ],
)
def test_a_state_comes_with_its_reason_and_one_action(house, changes, state, reason, action):
    described = house.listing.account(house.keep(**changes))

    assert (described["state"], described["reason"], described["action"]) == (state, reason, action)


def test_every_state_says_what_to_do():
    assert set(ACTIONS) == set(State)


def test_a_limit_says_until_when_and_is_forgotten_after(house):
    account = house.keep(standing=Standing(state=State.OVER_LIMIT, until=NOON + HOUR), expires_at=NOON + 5 * HOUR)

    during = house.listing.account(account)
    house.clock.sleep(HOUR)
    after = house.listing.account(account)

    assert (during["state"], during["until"]) == ("over_limit", "2030-01-01T13:00:00Z")
    assert (after["state"], after["until"]) == ("ready", None)


def test_without_the_key_everything_is_listed_and_unreadable(house):
    account = house.keep(name="work")
    house.key_readable = False

    described = house.listing.account(account)

    assert (described["name"], described["identity"]) == ("work", "ada@example.com")
    assert (described["state"], described["action"]) == ("key_unreadable", "restore_key")


def test_an_account_that_was_made_for_another_address_is_blocked(house):
    account = house.keep(origins=Origins(api="https://old.example:443"))

    described = house.listing.account(account)

    assert described["state"] == "blocked"
    assert "another address" in described["reason"]


def test_an_account_whose_method_is_switched_off_is_off_until_it_is_on_again(house):
    account, before = house.keep(), house.catalog.providers
    off = replace(ACME, methods=(replace(OAUTH, enabled=False),))

    house.catalog.providers = (off,)
    during = house.listing.account(account)
    house.catalog.providers = before
    after = house.listing.account(account)

    assert (during["state"], during["action"]) == ("off", "switch_on")
    assert "switched off" in during["reason"]
    assert (after["state"], after["reason"]) == ("ready", None)


def test_an_account_that_the_config_has_no_provider_for_is_blocked(house):
    account = house.keep()
    house.catalog.providers = ()

    (described,) = house.listing.accounts()

    assert (described["id"], described["state"], described["action"]) == (account.id, "blocked", "restore_entry")
    assert "no more" in described["reason"]


@pytest.mark.parametrize(
    ("states", "connected", "expired"),
    [([], False, False), (["good"], True, False), (["dead"], False, True), (["dead", "good"], True, False)],
)
def test_a_provider_is_connected_while_one_account_can_serve(house, states, connected, expired):
    for state in states:
        house.keep(standing=Standing(state=State.SIGN_IN_NEEDED if state == "dead" else State.READY))

    acme = house.listing.providers()[0]

    assert (acme["id"], acme["connected"], acme["expired"]) == ("acme", connected, expired)
    assert len(acme["accounts"]) == len(states)


def test_a_method_says_whether_it_can_be_offered_and_under_which_terms(house):
    methods = {method["id"]: method for method in house.listing.providers()[0]["methods"]}

    assert [name for name, method in methods.items() if method["enabled"]] == [
        "oauth",
        "api-key",
        "contested",
        "app-only",
    ]
    assert methods["unregistered"]["needs_client_id"]
    assert methods["contested"]["policy"]["verdict"] == "contested"
    assert methods["contested"]["consent"] is False
    assert methods["oauth"]["consent"] is None
    assert methods["oauth"]["kind"] == "authorization_code"


def test_a_recorded_consent_is_shown(house):
    house.consents.record("method:acme:contested")

    methods = {method["id"]: method for method in house.listing.providers()[0]["methods"]}

    assert methods["contested"]["consent"] is True


def test_a_sign_in_is_described_while_it_waits_and_when_it_ends(house):
    sign_in = house.sign_ins.start("acme")

    waiting = sign_in_json(sign_in, house.listing)
    house.sign_ins.reply(sign_in.id, reply_to(sign_in))
    ended = sign_in_json(sign_in, house.listing)

    assert waiting == {
        "id": sign_in.id,
        "url": sign_in.url,
        "redirect": "http://127.0.0.1:4000/callback",
        "listening": True,
        "expires_at": "2030-01-01T12:10:00Z",
        "state": "waiting",
    }
    assert ended["state"] == "signed_in"
    assert ended["account"] == house.listing.account(sign_in.account)


def test_a_failed_sign_in_says_why_and_what_to_do(house):
    sign_in = house.sign_ins.start("acme")
    house.sign_ins.cancel(sign_in.id)

    described = sign_in_json(sign_in, house.listing)

    assert described["state"] == "failed"
    assert (described["error"], described["hint"]) == ("sign_in_failed", "Start the sign-in again.")


def test_an_error_is_described_with_the_consent_that_would_help():
    needed = error_json(ConsentNeeded("Read this.", consent="terms"))

    assert needed == {
        "error": "consent_needed",
        "message": "Read this.",
        "hint": "Read the notice and agree to it once.",
        "consent": "terms",
    }
    assert "consent" not in error_json(SignInNeeded("ended"))


def test_no_secret_is_in_what_the_world_sees(house):
    house.keep()
    house.keep_key()
    house.surroundings.keys = [FoundKey("OTHER_API_KEY", Secret("canary-1"), "environment")]

    shown = json.dumps([house.listing.accounts(), house.listing.providers()])

    assert not any(secret in shown for secret in ("access-one", "refresh-one", "canary-1"))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (NOON, "2030-01-01T12:00:00Z"),
        (datetime(2030, 1, 1, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2))), "2030-01-01T12:00:00Z"),
        (datetime(2030, 1, 1, tzinfo=UTC), "2030-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_in_utc_to_the_second(moment, text):
    assert iso(moment) == text


DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("changes", "left", "says"),
    [
        ({"renews": False, "expires_at": NOON + 365 * DAY}, 8 * DAY, None),
        ({"renews": False, "expires_at": NOON + 365 * DAY}, 7 * DAY - HOUR, "it ends on 1 January 2031"),
        ({"renews": False, "expires_at": NOON + 8 * HOUR}, 3 * HOUR, None),
        ({"renews": False, "expires_at": NOON + 8 * HOUR}, HOUR, "it ends on 1 January 2030"),
        ({"renews": True, "expires_at": NOON + 8 * HOUR}, HOUR, None),
        ({"renews": False, "expires_at": None}, HOUR, None),
    ],
)
def test_what_cannot_renew_itself_says_some_time_before_that_it_ends(house, changes, left, says):
    account = house.keep(**changes)
    house.clock.sleep((account.expires_at or NOON + HOUR) - left - NOON)

    entry = house.listing.account(account)

    assert (entry["reason"] or "").startswith(says or "") is True
    assert (entry["state"], entry["action"]) == ("ready", "reconnect" if says else None)


def test_a_sign_in_that_nobody_uses_says_before_its_refresh_token_ends(house):
    house.catalog.providers = (replace(ACME, methods=(replace(OAUTH, refresh_days=30),)),)
    account = house.keep()

    ends = house.listing.account(account)["ends_at"]
    house.clock.sleep(25 * DAY)
    entry = house.listing.account(account)

    assert ends == "2030-01-31T13:00:00Z"
    assert (entry["state"], entry["action"]) == ("lapsed", "reconnect")
