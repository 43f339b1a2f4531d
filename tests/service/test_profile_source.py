"""Sign-ins that other programs keep: renewed by their own tool where it lets us ask, and read alone where not."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from doorkey.domain.account import RENEWAL, Identity, Proof, State
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, SignInFailed, SignInNeeded
from doorkey.service.hearing import Heard
from doorkey.service.profile_source import Borrowed
from doorkey.service.resolve import Choice
from doorkey.testing.values import HOUR, NOON
from tests.service.fakes import ACME, OAUTH


@dataclass
class Gone:
    """Fill `ports.Profiles`: the sign-in is somebody else's now."""

    def active(self):
        return Identity(issuer=Owner.CODEX.value, subject="bob")

    def renew(self, who):
        return self.read(who)

    def read(self, who):
        raise SignInNeeded("Codex is signed in as bob now, not as ada.", hint="Sign in to Codex as before.")


def borrowed(house, owner):
    who = Identity(issuer=owner.value, subject="ada", email="ada@example.com")
    return house.keep(identity=who, renews=False, expires_at=None)


def source_of(house, account):
    return house.sources.of(Choice(provider=ACME, method=OAUTH, account=account, rule="asked for"))


def run_out(house):
    house.profiles.tokens = replace(house.profiles.tokens, expires_at=NOON - timedelta(seconds=1))


@pytest.mark.parametrize("owner", list(Owner))
def test_a_token_is_read_where_it_is_each_time(house, owner):
    source = source_of(house, borrowed(house, owner))

    first = source.get()
    house.profiles.tokens = replace(house.profiles.tokens, access=Secret("another"))

    assert (first.reveal(), source.get().reveal()) == ("access-profile", "another")
    assert house.profiles.renewals == 0


def test_a_profile_that_has_run_out_is_renewed_by_its_own_sdk(house):
    account = borrowed(house, Owner.ANT)
    run_out(house)

    assert house.listing.account(account)["state"] == "lapsed"
    assert source_of(house, account).get() == Secret("profile-1")


def test_codex_is_never_asked_to_renew_and_the_person_is_told_to_open_it(house):
    account = borrowed(house, Owner.CODEX)
    run_out(house)

    with pytest.raises(SignInNeeded) as caught:
        source_of(house, account).get()

    assert "Open Codex to renew it" in caught.value.hint
    assert house.profiles.renewals == 0


def test_its_state_says_the_same_and_its_end_is_that_of_the_file(house):
    account = borrowed(house, Owner.CODEX)
    ready = house.listing.account(account)
    run_out(house)
    ended = house.listing.account(account)

    assert (ready["state"], ready["expires_at"], ready["action"]) == ("ready", "2030-01-01T13:00:00Z", None)
    assert (ended["state"], ended["action"]) == ("sign_in_needed", "open_owner")
    assert ended["reason"] == "The sign-in that Codex keeps has run out. Open Codex to renew it, then try again."


def test_what_its_owner_renews_is_not_told_to_end(house):
    account = borrowed(house, Owner.CODEX)
    house.clock.sleep(timedelta(minutes=58))

    listed = house.listing.account(account)

    assert (listed["state"], listed["ends_at"], listed["action"]) == ("ready", None, None)


def test_a_file_that_serves_no_more_says_why(house):
    account = borrowed(house, Owner.CODEX)

    standing = Borrowed({Owner.CODEX: Gone()}, house.clock).seen(account).standing

    assert standing.state is State.SIGN_IN_NEEDED
    assert standing.reason == "Codex is signed in as bob now, not as ada. Sign in to Codex as before."


def test_where_no_token_lasts_so_long_the_one_of_codex_comes_all_the_same(house):
    source = source_of(house, borrowed(house, Owner.CODEX))

    assert source.get(at_least=10 * HOUR).reveal() == "access-profile"


def test_a_token_of_codex_that_was_refused_is_not_offered_again(house):
    source = source_of(house, borrowed(house, Owner.CODEX))

    with pytest.raises(SignInNeeded, match="not accepted"):
        source.renew(source.get())


def test_a_refused_call_leaves_no_mark_that_only_a_sign_in_here_could_lift(house):
    account = borrowed(house, Owner.CODEX)

    house.hearing.take([Heard.inside(account, SignInNeeded("The provider says no."), NOON)])

    assert house.listing.state(account) is State.READY


def test_it_is_not_revoked_from_here(house):
    account = borrowed(house, Owner.CODEX)

    farewell = house.book.leave(account, revoke_too=True)

    assert isinstance(farewell.unconfirmed, Misconfigured)
    assert "Sign out of Codex" in farewell.unconfirmed.hint
    assert house.world.endpoints.requests == []


def test_it_is_signed_in_again_by_its_owner_only(house):
    with pytest.raises(SignInFailed, match="is signed in by Codex, not by Doorkey"):
        house.sign_ins.start("acme", "oauth", account=borrowed(house, Owner.CODEX))


def test_it_serves_before_a_key_as_any_sign_in_does(house):
    house.keep_key(created_at=NOON - HOUR)
    account = borrowed(house, Owner.CODEX)

    assert house.resolver.default("acme").id == account.id


def test_its_token_is_told_with_its_end(house):
    source = source_of(house, borrowed(house, Owner.ANT))

    tokens = source.tokens()

    assert (tokens.access.reveal(), tokens.expires_at) == ("access-profile", NOON + HOUR)


def test_a_renewal_by_its_owner_is_a_proof(house):
    account = borrowed(house, Owner.ANT)
    run_out(house)

    source_of(house, account).get()

    assert house.accounts.one(account.id).standing.proof == Proof(NOON, RENEWAL)


def test_a_token_that_was_renewed_a_moment_ago_is_not_renewed_for_a_refusal(house):
    source = source_of(house, borrowed(house, Owner.ANT))
    run_out(house)
    young = source.get()
    house.clock.sleep(timedelta(seconds=59))

    assert source.renew(young) == young
    assert house.profiles.renewals == 1

    house.clock.sleep(timedelta(seconds=1))
    assert source.renew(young) != young
