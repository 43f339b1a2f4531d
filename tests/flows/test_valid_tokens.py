from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from doorkey.domain.account import RENEWAL, Proof, Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable, RefreshTimedOut, SignInNeeded, StorageFull, StoreBusy
from doorkey.flows.refresh import DEADLINE, GRACE, LEASE
from doorkey.flows.steps import Detach, Load, OwnsLease, ReleaseLease, Save, Send, Sleep, TakeLease, Version
from doorkey.flows.valid_tokens import LONGEST_GLANCE, PATIENCE, PAUSE, SHORTEST_GLANCE, Need, valid_tokens
from doorkey.testing.script import METHOD, Caller, LaxLeases, World, answer, interleave, outcome
from doorkey.testing.values import HOUR, NOON, some_tokens

STALE = HOUR - timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def call(world, account, **wishes):
    return Caller(world, valid_tokens(Need(account=account.id, method=METHOD, **wishes)))


def expired_world(**arguments):
    """A world with one account whose token ended a second ago."""
    world = World(**arguments)
    account = world.keep()
    world.clock.time = NOON + HOUR + SECOND
    return world, account


def play(turns, callers, **arguments):
    """One interleaving of callers on an expired token, told by its refreshes and what each caller got."""
    world, account = expired_world(**arguments)
    mine = [call(world, account) for _ in range(callers)]
    interleave(mine, turns)
    return world, account, mine


def test_a_fresh_token_is_returned_without_a_lease(world):
    account = world.keep()

    caller = call(world, account)
    held = caller.finish()

    assert held.tokens == some_tokens()
    assert not any(isinstance(step, TakeLease) for step in caller.taken)


def test_an_expired_token_is_renewed_and_saved_before_it_is_returned():
    world, account = expired_world()

    caller = call(world, account)
    held = caller.finish()

    assert held.tokens.access == Secret("access-renewed-1")
    assert world.stands(account.id) == held
    assert [type(step) for step in caller.taken[-2:]] == [Save, ReleaseLease]


def test_in_every_order_of_two_callers_there_is_one_refresh_and_both_get_its_token():
    for turns in product((0, 1), repeat=11):
        world, account, callers = play(turns, callers=2)

        assert world.endpoints.refreshes == 1, turns
        assert [outcome(caller) for caller in callers] == [world.stands(account.id)] * 2, turns
        assert world.stands(account.id).account.generation == 1


def test_a_third_caller_changes_nothing():
    for turns in product((0, 1, 2), repeat=6):
        world, account, callers = play(turns, callers=3)

        assert world.endpoints.refreshes == 1, turns
        assert [outcome(caller) for caller in callers] == [world.stands(account.id)] * 3, turns


def test_without_the_lease_some_orders_of_two_callers_lose_the_sign_in():
    worlds = [play(turns, callers=2, leases=LaxLeases())[0] for turns in product((0, 1), repeat=8)]

    lost = [world for world in worlds if world.endpoints.live is None]

    assert lost
    assert all(world.endpoints.refreshes == 2 for world in lost)


def test_a_caller_after_another_finished_adopts_the_new_pair():
    world, account = expired_world()
    early, late = call(world, account), call(world, account)
    late.reach(TakeLease)
    early.finish()

    held = late.finish()

    assert held == world.stands(account.id)
    assert world.endpoints.refreshes == 1


def test_while_another_renews_a_stale_token_is_served_at_once(world):
    account = world.keep()
    world.clock.time = NOON + STALE
    holder, other = call(world, account), call(world, account)
    holder.reach(Send)

    held = other.finish()

    assert held.tokens == some_tokens()
    assert not any(isinstance(step, Sleep) for step in other.taken)
    holder.die()


def test_while_another_renews_who_needs_longer_waits(world):
    account = world.keep()
    world.clock.time = NOON + STALE
    holder, other = call(world, account), call(world, account, at_least=timedelta(minutes=10))
    holder.reach(Send)
    other.reach(Sleep)
    newer = holder.finish()

    assert other.finish() == newer


def test_the_lease_of_a_holder_that_died_ends_and_another_renews():
    world, account = expired_world()
    dead, other = call(world, account), call(world, account)
    dead.reach(Send)
    dead.die()

    held = other.finish()

    assert held.tokens.access == Secret("access-renewed-1")
    assert world.clock.now() - NOON >= HOUR + LEASE


def test_whoever_overtakes_a_holder_lets_it_save_the_answer_that_came_before_they_slept():
    world, account = expired_world()
    slow, next_one = call(world, account), call(world, account)
    slow.reach(Save)
    world.clock.sleep(LEASE)

    next_one.reach(Sleep)
    grace = next_one.step
    slow.finish()

    assert grace == Sleep(GRACE)
    assert next_one.finish() == slow.result == world.stands(account.id)
    assert world.endpoints.refreshes == 1


def test_whoever_waits_is_woken_by_the_change_and_not_by_the_clock():
    world, account = expired_world()
    holder, waiter = call(world, account), call(world, account)
    holder.reach(Send)
    waiter.reach(Sleep)
    began = world.clock.now()
    waiter.take()
    newer = holder.finish()

    held = waiter.finish()

    assert held == newer
    assert world.clock.now() - began == SHORTEST_GLANCE


def test_whoever_waits_looks_at_the_version_ever_less_often_and_at_the_lease_now_and_then():
    world, account = expired_world()
    holder, waiter = call(world, account), call(world, account)
    holder.reach(Send)
    waiter.reach(Sleep)
    waiter.reach(TakeLease)

    pauses = [step.span for step in waiter.taken if isinstance(step, Sleep)]

    assert pauses == sorted(pauses)
    assert PAUSE <= sum(pauses, timedelta(0)) < PAUSE + LONGEST_GLANCE
    assert sum(isinstance(step, Version) for step in waiter.taken) > len(pauses)
    assert sum(isinstance(step, Load) for step in waiter.taken) == 1
    holder.die()
    waiter.die()


@pytest.mark.parametrize("late", [DEADLINE + SECOND, LEASE + SECOND])
def test_a_holder_that_slept_through_its_lease_does_not_send(late):
    world, account = expired_world()
    slow = call(world, account)
    slow.reach(OwnsLease)
    world.clock.sleep(late)

    slow.take()
    slow.take()

    assert world.endpoints.refreshes == 0
    assert slow.finish().tokens.access == Secret("access-renewed-1")
    assert world.endpoints.refreshes == 1


def test_a_slow_holder_that_was_taken_over_before_sending_adopts_the_newer_pair():
    world, account = expired_world()
    slow, quick = call(world, account), call(world, account)
    slow.reach(OwnsLease)
    world.clock.sleep(LEASE)
    newer = quick.finish()

    held = slow.finish()

    assert held == newer
    assert world.endpoints.refreshes == 1


def test_a_slow_holder_that_already_sent_cannot_overwrite_a_newer_pair():
    world, account = expired_world()
    slow = call(world, account)
    slow.reach(Save)
    mine = world.stands(account.id)
    newer = replace(mine, account=replace(mine.account, generation=1), tokens=some_tokens("signed-in-again"))
    world.ports.accounts.save(newer, read=0)

    held = slow.finish()

    assert held == newer
    assert world.stands(account.id) == newer


def test_a_holder_that_is_refused_after_a_newer_pair_came_adopts_it():
    world, account = expired_world()
    world.endpoints.live = None
    slow = call(world, account)
    slow.reach(Send)
    slow.take()
    mine = world.stands(account.id)
    newer = replace(mine, account=replace(mine.account, generation=1), tokens=some_tokens("signed-in-again"))
    world.ports.accounts.save(newer, read=0)

    held = slow.finish()

    assert held == newer
    assert world.stands(account.id).account.standing.state is State.READY


def test_a_holder_that_lost_its_lease_leaves_the_new_holders_alone():
    world, account = expired_world()
    slow, quick = call(world, account), call(world, account)
    slow.reach(Save)
    world.clock.sleep(LEASE)
    quick.reach(Send)
    slow.finish()

    assert world.ports.leases.take(account.id, LEASE) is None
    quick.die()


def test_a_caller_waits_no_longer_than_a_lease_and_a_little():
    world, account = expired_world()
    waiter = call(world, account)
    while waiter.step is not None:
        # Somebody else holds the lease at every moment.
        world.ports.leases.take(account.id, LEASE)
        waiter.take()

    with pytest.raises(RefreshTimedOut):
        _ = waiter.result
    assert world.clock.now() - NOON < HOUR + PATIENCE + 2 * SECOND
    assert world.endpoints.refreshes == 0


def steps_of_a_renewal():
    """How many steps a caller takes who renews."""
    world, account = expired_world()
    caller = call(world, account)
    caller.finish()
    return len(caller.taken)


@pytest.mark.parametrize("number", range(steps_of_a_renewal()))
def test_a_caller_that_gives_up_at_any_step_loses_nothing(number):
    world, account = expired_world()
    caller = call(world, account)
    for _ in range(number):
        caller.take()

    caller.cancel()

    stands = world.stands(account.id)
    assert stands.tokens.refresh == Secret(world.endpoints.live)
    assert stands.account.generation == world.endpoints.refreshes
    assert world.ports.leases.take(account.id, LEASE) is not None


def test_whoever_gives_up_while_waiting_leaves_the_holder_alone():
    world, account = expired_world()
    holder, waiter = call(world, account), call(world, account)
    holder.reach(Send)
    waiter.reach(Sleep)

    waiter.cancel()

    assert outcome(waiter) == "cancelled"
    assert holder.finish().tokens.access == Secret("access-renewed-1")


def test_a_renewal_is_detached_from_before_it_is_sent_until_it_is_saved():
    world, account = expired_world()
    caller = call(world, account)

    caller.finish()

    kinds = [type(step) for step in caller.taken]
    assert kinds.index(TakeLease) < kinds.index(Detach) < kinds.index(Send) < kinds.index(Save)


@pytest.mark.parametrize("kind", [Load, OwnsLease, Send, Save])
def test_an_unforeseen_error_in_an_adapter_gives_the_lease_back(kind):
    world, account = expired_world()
    caller = call(world, account)
    caller.reach(Detach)
    world.failing[kind] = [RuntimeError("a bug")]

    with pytest.raises(RuntimeError):
        caller.finish()

    assert world.ports.leases.take(account.id, LEASE) is not None


@pytest.mark.parametrize("fault", [StoreBusy("busy"), StorageFull("full")])
def test_a_lease_that_cannot_be_given_back_spoils_no_renewal(fault):
    world, account = expired_world()
    world.failing[ReleaseLease] = [fault]

    held = call(world, account).finish()

    assert held.tokens.access == Secret("access-renewed-1")


@pytest.mark.parametrize("fault", [StoreBusy("busy"), StorageFull("full")])
def test_a_store_that_cannot_take_the_rotated_pair_is_waited_for(fault):
    world, account = expired_world()
    world.failing[Save] = [fault] * 7

    held = call(world, account).finish()

    assert world.stands(account.id) == held
    assert held.tokens.refresh == Secret(world.endpoints.live)


def test_a_store_that_never_takes_the_rotated_pair_is_an_error_in_the_end():
    world, account = expired_world()
    world.failing[Save] = [StorageFull("full")] * 100

    with pytest.raises(StorageFull):
        call(world, account).finish()
    assert world.clock.now() - NOON < HOUR + LEASE


def test_a_fault_that_passes_serves_a_stale_token_and_asks_nobody_again_while_it_pauses(world):
    account = world.keep()
    world.clock.time = NOON + STALE
    world.endpoints.scripted = [answer(503)]

    first, second = call(world, account).finish(), call(world, account).finish()

    assert [first.tokens, second.tokens] == [some_tokens()] * 2
    assert len(world.endpoints.requests) == 1


def test_an_expired_token_is_not_served_while_the_fault_lasts():
    world, account = expired_world()
    world.endpoints.scripted = [answer(503)]

    with pytest.raises(ProviderUnavailable):
        call(world, account).finish()
    with pytest.raises(ProviderUnavailable) as again:
        call(world, account).finish()

    assert len(world.endpoints.requests) == 1
    assert again.value.retry_after > 0


def test_a_pause_from_before_the_clock_was_set_back_keeps_nobody_waiting():
    world, account = expired_world()
    world.endpoints.scripted = [answer(503)]
    with pytest.raises(ProviderUnavailable):
        call(world, account).finish()
    world.clock.time -= timedelta(minutes=1)

    held = call(world, account).finish()

    assert held.tokens.access == Secret("access-renewed-1")


def test_when_the_pause_is_over_the_account_renews_and_forgets_the_fault():
    world, account = expired_world()
    world.endpoints.scripted = [answer(503)]
    with pytest.raises(ProviderUnavailable):
        call(world, account).finish()
    world.clock.sleep(20 * SECOND)

    held = call(world, account).finish()

    assert held.account.standing.failures == 0
    assert held.account.standing.retry_at is None


@pytest.mark.parametrize(("refusal", "error"), [("invalid_grant", SignInNeeded), ("invalid_client", Misconfigured)])
def test_what_no_repetition_can_heal_is_remembered_and_not_sent_again(refusal, error):
    world, account = expired_world()
    world.endpoints.scripted = [answer(400, {"error": refusal})]

    for _ in range(3):
        with pytest.raises(error):
            call(world, account).finish()

    assert len(world.endpoints.requests) == 1
    assert world.stands(account.id).tokens == some_tokens()


def test_a_token_that_was_refused_is_renewed_once(world):
    account = world.keep()
    world.clock.time = NOON + timedelta(minutes=10)
    rejected = some_tokens().access

    first = call(world, account, rejected=rejected).finish()
    second = call(world, account, rejected=rejected).finish()

    assert first.tokens.access == second.tokens.access == Secret("access-renewed-1")
    assert world.endpoints.refreshes == 1


@pytest.mark.parametrize(("age", "refreshes"), [(59, 0), (60, 1)])
def test_a_token_renewed_less_than_a_minute_ago_is_not_renewed_for_a_refusal(world, age, refreshes):
    account = world.keep(standing=Standing(proof=Proof(NOON, RENEWAL)))
    world.clock.time = NOON + timedelta(seconds=age)

    call(world, account, rejected=some_tokens().access).finish()

    assert world.endpoints.refreshes == refreshes


def test_a_token_refused_right_after_its_sign_in_is_renewed(world):
    account = world.keep(standing=Standing(proof=Proof(NOON, "sign-in")))

    held = call(world, account, rejected=some_tokens().access).finish()

    assert held.tokens.access == Secret("access-renewed-1")


def test_a_token_that_replaced_the_refused_one_but_has_expired_is_renewed():
    world, account = expired_world()

    held = call(world, account, rejected=Secret("older")).finish()

    assert held.tokens.access == Secret("access-renewed-1")


def test_a_refused_token_is_not_served_again_while_another_renews(world):
    account = world.keep()
    world.clock.time = NOON + timedelta(minutes=10)
    holder, other = (call(world, account, rejected=some_tokens().access) for _ in range(2))
    holder.reach(Send)
    other.reach(Sleep)
    holder.finish()

    assert other.finish().tokens.access == Secret("access-renewed-1")


def test_a_caller_that_needs_longer_gets_a_new_token(world):
    account = world.keep()
    world.clock.time = NOON + timedelta(minutes=30)

    held = call(world, account, at_least=timedelta(minutes=45)).finish()

    assert held.tokens.access == Secret("access-renewed-1")


def test_a_need_beyond_the_whole_life_is_given_the_freshest_there_is(world):
    account = world.keep()
    world.clock.time = NOON + timedelta(minutes=30)

    first = call(world, account, at_least=2 * HOUR).finish()
    second = call(world, account, at_least=2 * HOUR).finish()

    assert first == second
    assert world.endpoints.refreshes == 1


def test_before_the_providers_earliest_moment_only_a_refusal_renews(world):
    held_back = replace(some_tokens(), earliest_refresh_at=NOON + timedelta(minutes=50))
    account = world.keep(tokens=held_back)
    world.clock.time = NOON + timedelta(minutes=30)

    longer = call(world, account, at_least=timedelta(minutes=45)).finish()
    refused = call(world, account, rejected=held_back.access).finish()

    assert longer.tokens == held_back
    assert refused.tokens.access == Secret("access-renewed-1")


def test_a_key_needs_no_renewal_whatever_is_asked_of_it(world):
    key = replace(some_tokens(), refresh=None, expires_at=None)
    account = world.keep(tokens=key, renews=False, expires_at=None)

    held = call(world, account, rejected=key.access, at_least=HOUR).finish()

    assert held.tokens == key


def test_an_ended_token_without_a_refresh_token_asks_for_a_sign_in():
    world = World()
    account = world.keep(tokens=replace(some_tokens(), refresh=None), renews=False)
    world.clock.time = NOON + 2 * HOUR

    with pytest.raises(SignInNeeded):
        call(world, account).finish()

    assert world.stands(account.id).account.standing.state is State.SIGN_IN_NEEDED
    assert world.endpoints.requests == []


def test_a_renewal_does_not_open_a_plan_that_is_used_up():
    world = World()
    until = NOON + 5 * HOUR
    account = world.keep(standing=Standing(state=State.OVER_LIMIT, until=until))
    world.clock.time = NOON + 2 * HOUR

    held = call(world, account).finish()

    assert held.account.state(world.clock.now()) is State.OVER_LIMIT
    assert held.account.standing.proof.call == "renewal"
