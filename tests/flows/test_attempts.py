import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.attempt import Attempt, Status
from doorkey.errors import Misconfigured, ProviderUnavailable, SignInFailed, StorageFull
from doorkey.flows import authorization_code
from doorkey.flows.attempts import LIFETIME
from doorkey.flows.steps import Detach, Save, SaveAttempt, Send
from doorkey.testing.script import METHOD, Caller, World, answer, interleave, outcome
from doorkey.testing.values import NOON
from tests.flows.signing_in import SIWC, begin, finish, plan_for, proven, reply_to


def test_state_verifier_and_nonce_are_three_separate_values_of_32_bytes(world):
    attempt, _, _ = begin(world, plan_for())

    values = [secret.reveal() for secret in (attempt.state, attempt.verifier, attempt.nonce)]
    assert len(set(values)) == 3
    assert [len(base64.urlsafe_b64decode(f"{value}=")) for value in values] == [32] * 3


def test_two_attempts_share_nothing(world):
    one, other = begin(world, plan_for())[0], begin(world, plan_for())[0]

    assert one.id != other.id
    assert {one.state, one.verifier, one.nonce}.isdisjoint({other.state, other.verifier, other.nonce})


def test_an_attempt_is_kept_before_its_url_is_known_and_lasts_ten_minutes(world):
    attempt, _, _ = begin(world, plan_for())

    assert world.ports.attempts.load(attempt.id) == attempt
    assert attempt.expires_at == NOON + timedelta(minutes=10)


def test_a_method_without_a_client_id_says_how_to_name_one(world):
    with pytest.raises(Misconfigured) as caught:
        begin(world, plan_for(replace(METHOD, client_id=None)))

    assert "[providers.acme.methods.oauth]" in caught.value.hint


def test_a_refusal_ends_the_attempt_without_an_exchange(world):
    attempt, _, _ = begin(world, plan_for())

    with pytest.raises(SignInFailed):
        finish(world, plan_for(), attempt, reply_to(attempt, code=None, error="access_denied")).finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.endpoints.requests == []


@pytest.mark.parametrize(("late", "ends"), [(LIFETIME - timedelta(seconds=1), False), (LIFETIME, True)])
def test_an_attempt_ends_after_its_ten_minutes(world, late, ends):
    attempt, _, _ = begin(world, plan_for())
    world.clock.sleep(late)

    caller = finish(world, plan_for(), attempt)
    if ends:
        with pytest.raises(SignInFailed, match="expired"):
            caller.finish()
    else:
        caller.finish()

    assert world.status(attempt.id) is (Status.FAILED if ends else Status.SIGNED_IN)


def test_a_reply_is_used_once(world):
    attempt, _, _ = begin(world, plan_for())
    finish(world, plan_for(), attempt).finish()

    with pytest.raises(SignInFailed, match="already"):
        finish(world, plan_for(), attempt).finish()

    assert len(world.endpoints.requests) == 1
    assert world.status(attempt.id) is Status.SIGNED_IN


def test_of_two_replies_at_once_only_one_is_exchanged(world):
    attempt, _, _ = begin(world, plan_for())
    one, other = finish(world, plan_for(), attempt), finish(world, plan_for(), attempt)
    one.reach(Send)

    with pytest.raises(SignInFailed, match="already"):
        other.finish()

    assert one.finish()
    assert len(world.endpoints.requests) == 1


def test_the_issued_client_is_kept_before_the_exchange(world):
    attempt, _, _ = begin(world, plan_for(SIWC))
    proven(world, aud="oaiapp_1", nonce=attempt.nonce.reveal())
    caller = finish(world, plan_for(SIWC), attempt, reply_to(attempt, client_id="oaiapp_1"))
    caller.reach(Send)

    assert world.ports.attempts.load(attempt.id).client_id == "oaiapp_1"
    assert caller.finish().identity.client_id == "oaiapp_1"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_code_ends_the_attempt(world, status):
    attempt, _, _ = begin(world, plan_for())
    world.endpoints.scripted = [answer(status, {"error": "invalid_grant"})]

    with pytest.raises(SignInFailed, match="refused the code"):
        finish(world, plan_for(), attempt).finish()

    kept = world.ports.attempts.load(attempt.id)
    assert (kept.status, kept.error) == (Status.FAILED, "sign_in_failed")


@pytest.mark.parametrize("response", [answer(503), answer(200, b"<html>"), ProviderUnavailable("no way there")])
def test_an_exchange_without_an_answer_leaves_the_attempt_to_be_tried_again(world, response):
    attempt, _, _ = begin(world, plan_for())
    world.endpoints.scripted = [response]

    with pytest.raises(ProviderUnavailable):
        finish(world, plan_for(), attempt).finish()

    kept = world.ports.attempts.load(attempt.id)
    assert (kept.status, kept.error) == (Status.UNANSWERED, "provider_unavailable")
    assert world.ports.accounts.all() == []


def unanswered(world, plan):
    """An attempt whose exchange got no answer, as it is kept."""
    attempt, _, _ = begin(world, plan)
    world.endpoints.scripted = [ProviderUnavailable("no way")]
    with pytest.raises(ProviderUnavailable):
        finish(world, plan, attempt).finish()
    return world.ports.attempts.load(attempt.id)


def again(world, plan, attempt):
    return Caller(world, authorization_code.redeem_again(plan, attempt))


def test_only_the_exchange_is_repeated_and_with_the_same_code(world):
    plan = plan_for()
    attempt = unanswered(world, plan)

    account = again(world, plan, attempt).finish()

    first, second = world.endpoints.requests
    assert first == second
    assert world.status(attempt.id) is Status.SIGNED_IN
    assert world.stands(account.id).account == account
    assert world.ports.attempts.load(attempt.id).callback is None


def test_an_exchange_can_be_repeated_until_it_is_answered(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    world.endpoints.scripted = [answer(503), answer(400, {"error": "invalid_grant"})]

    with pytest.raises(ProviderUnavailable):
        again(world, plan, attempt).finish()
    assert world.status(attempt.id) is Status.UNANSWERED
    with pytest.raises(SignInFailed, match="refused the code"):
        again(world, plan, world.ports.attempts.load(attempt.id)).finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.ports.attempts.load(attempt.id).callback is None


def test_a_code_is_not_kept_beyond_the_life_of_its_attempt(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    world.clock.sleep(LIFETIME)

    with pytest.raises(SignInFailed, match="expired"):
        again(world, plan, attempt).finish()

    assert len(world.endpoints.requests) == 1
    assert world.status(attempt.id) is Status.FAILED


def test_of_two_repetitions_at_once_only_one_is_sent(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    callers = [again(world, plan, attempt) for _ in range(2)]

    interleave(callers, [0, 1, 0, 1])

    assert len(world.endpoints.requests) == 2
    assert max(map(outcome, callers), key=str) == "sign_in_failed"


def exchange_steps():
    world = World()
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)
    caller.finish()
    return len(caller.taken)


@pytest.mark.parametrize("number", range(exchange_steps()))
def test_giving_up_at_any_step_of_the_end_leaves_it_unsent_or_finished(world, number):
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)
    for _ in range(number):
        caller.take()

    caller.cancel()

    if world.endpoints.requests:
        assert world.status(attempt.id) is Status.SIGNED_IN
        assert [each.renews for each in world.ports.accounts.all()] == [True]
    else:
        assert world.status(attempt.id) is Status.WAITING
        assert finish(world, plan_for(), attempt).finish()


@pytest.mark.parametrize("number", range(6))
def test_giving_up_at_any_step_of_the_beginning_keeps_no_half_attempt(world, number):
    caller = Caller(world, authorization_code.begin(plan_for()))
    for _ in range(number):
        caller.take()

    caller.cancel()

    saved = [step.attempt for step in caller.taken if isinstance(step, SaveAttempt)]
    assert all(isinstance(world.ports.attempts.load(attempt.id), Attempt) for attempt in saved)
    assert world.endpoints.requests == []


def test_the_exchange_is_detached_from_before_the_attempt_moves_until_the_account_is_saved(world):
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)

    caller.finish()

    kinds = [type(step) for step in caller.taken]
    assert kinds.index(Detach) < kinds.index(SaveAttempt) < kinds.index(Send) < kinds.index(Save)


def test_a_vault_that_cannot_take_the_account_ends_the_attempt(world):
    attempt, _, _ = begin(world, plan_for())
    world.failing[Save] = [StorageFull("full")]

    with pytest.raises(StorageFull):
        finish(world, plan_for(), attempt).finish()

    assert world.ports.attempts.load(attempt.id).error == "storage_full"
