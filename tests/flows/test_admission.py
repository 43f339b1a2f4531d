from dataclasses import replace

import pytest

from doorkey.domain.account import Proof, Standing, State
from doorkey.domain.attempt import Status
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, ProviderUnavailable, SignInFailed
from doorkey.flows import admission
from doorkey.flows.steps import Save, VerifyIdToken
from doorkey.testing.script import Caller, answer
from doorkey.testing.values import HOUR, NOON, some_tokens
from tests.flows.signing_in import OPENID, begin, finish, plan_for, proven, sign_in, someone


def test_a_good_reply_becomes_an_account(world):
    attempt, _, _ = begin(world, plan_for(name="work"))

    account = finish(world, plan_for(name="work"), attempt).finish()

    stands = world.stands(account.id)
    assert stands.account == account
    assert stands.tokens.refresh == Secret("refresh-signed-in")
    assert (account.name, account.renews, account.generation) == ("work", True, 0)
    assert account.standing == Standing(proof=Proof(NOON, "sign-in"))
    assert world.status(attempt.id) is Status.SIGNED_IN
    assert world.ports.attempts.load(attempt.id).account == account.id


def test_an_account_remembers_the_origins_that_it_was_made_for(world):
    account = sign_in(world, plan_for())

    assert account.origins.api == "https://api.example:443"
    assert account.origins.token == account.origins.revoke == "https://issuer.example:443"


def test_a_proven_identity_is_bound_to_the_account(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal(), email="ada@example.com")

    account = finish(world, plan_for(OPENID), attempt).finish()

    assert (account.identity.subject, account.identity.email) == ("subject-1", "ada@example.com")


def test_the_issuers_keys_are_fetched_before_the_code_is_spent(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    world.endpoints.scripted = [answer(503)]

    with pytest.raises(ProviderUnavailable):
        finish(world, plan_for(OPENID), attempt).finish()

    assert [request.url for request in world.endpoints.requests] == [OPENID.jwks_url]


@pytest.mark.parametrize(
    "claim", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://other.example"}, {"exp": 0}]
)
def test_an_id_token_of_another_sign_in_binds_nobody(world, claim):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, **({"nonce": attempt.nonce.reveal()} | claim))

    with pytest.raises(SignInFailed):
        finish(world, plan_for(OPENID), attempt).finish()

    assert world.ports.accounts.all() == []
    assert world.status(attempt.id) is Status.FAILED


def test_a_computer_whose_clock_is_hours_ahead_can_sign_in(world):
    world.clock.time = NOON + 3 * HOUR
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal(), exp=(NOON + HOUR).timestamp())
    tokens = {"access_token": "access", "id_token": "proof", "expires_in": 3600}
    world.endpoints.scripted = [answer(), answer(200, tokens, date="Tue, 01 Jan 2030 12:00:00 GMT")]

    account = finish(world, plan_for(OPENID), attempt).finish()

    assert account.identity.subject == "subject-1"
    assert account.expires_at == NOON + 4 * HOUR


def test_an_id_token_with_a_false_signature_binds_nobody(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal())
    world.failing[VerifyIdToken] = [SignInFailed("not signed by the issuer")]

    with pytest.raises(SignInFailed):
        finish(world, plan_for(OPENID), attempt).finish()

    assert world.ports.accounts.all() == []


def test_signing_in_again_updates_the_row_of_the_same_identity(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    first = sign_in(world, plan_for(name="work"))
    blocked = replace(first, standing=Standing(state=State.SIGN_IN_NEEDED))
    world.ports.accounts.save_standing(blocked)

    again = sign_in(world, plan_for())

    assert (again.id, again.name, again.generation) == (first.id, "work", 1)
    assert again.standing.state is State.READY
    assert world.ports.accounts.all() == [again]


def test_another_identity_becomes_another_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    first = sign_in(world, plan_for())
    world.endpoints.extra = someone("b", "bob@example.com")

    second = sign_in(world, plan_for())

    assert {account.id for account in world.ports.accounts.all()} == {first.id, second.id}


def test_a_reconnect_as_somebody_else_changes_no_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    account = sign_in(world, plan_for())
    before = world.stands(account.id)
    world.endpoints.extra = someone("b", "bob@example.com")

    with pytest.raises(ConsentNeeded, match=r"bob@example\.com, not ada@example\.com"):
        sign_in(world, plan_for(account=account))

    assert world.stands(account.id) == before
    assert len(world.ports.accounts.all()) == 1


def test_who_signed_in_instead_can_be_kept_as_another_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    mine = sign_in(world, plan_for(name="work"))
    world.endpoints.extra = someone("b", "bob@example.com")
    plan = plan_for(account=mine, name="work")
    attempt, _, _ = begin(world, plan)
    with pytest.raises(ConsentNeeded):
        finish(world, plan, attempt).finish()
    waiting = world.ports.attempts.load(attempt.id)

    account = Caller(world, admission.keep_arrival(plan, waiting)).finish()

    assert (waiting.status, world.status(attempt.id)) == (Status.SOMEBODY_ELSE, Status.SIGNED_IN)
    assert (account.identity.email, account.name) == ("bob@example.com", None)
    assert world.stands(account.id).tokens == waiting.arrived.tokens
    assert world.stands(mine.id).account == mine
    assert world.ports.attempts.load(attempt.id).arrived is None


def test_who_signed_in_instead_is_not_kept_after_the_time_of_the_sign_in(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    plan = plan_for(account=sign_in(world, plan_for()))
    world.endpoints.extra = someone("b", "bob@example.com")
    attempt, _, _ = begin(world, plan)
    with pytest.raises(ConsentNeeded):
        finish(world, plan, attempt).finish()
    waiting = world.ports.attempts.load(attempt.id)

    world.clock.time = waiting.expires_at
    with pytest.raises(SignInFailed, match="expired"):
        Caller(world, admission.keep_arrival(plan, waiting)).finish()

    ended = world.ports.attempts.load(attempt.id)
    assert (ended.status, ended.arrived) == (Status.FAILED, None)


def test_a_reconnect_wins_over_a_renewal_that_was_saved_meanwhile(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    account = sign_in(world, plan_for())
    attempt, _, _ = begin(world, plan_for(account=account))
    caller = finish(world, plan_for(account=account), attempt)
    caller.reach(Save)
    renewed = replace(world.stands(account.id), account=replace(account, generation=1), tokens=some_tokens("renewed"))
    world.ports.accounts.save(renewed, read=0)

    again = caller.finish()

    assert again.generation == 2
    assert world.stands(account.id).tokens.refresh == Secret("refresh-signed-in")
