"""Two first sign-ins of one identity at the same instant: they make one row, whoever comes first."""

from dataclasses import replace

import pytest

from doorkey.domain.account import Identity, Proof
from doorkey.domain.provider import Api, Dialect
from doorkey.errors import StoreBusy
from doorkey.flows import admission
from doorkey.flows.attempts import Plan
from doorkey.flows.steps import FindAccount, Save
from doorkey.testing.memory import MemoryAccounts, memory_vault
from doorkey.testing.script import METHOD, Caller, World, interleave
from doorkey.testing.values import NOON, an_identity, some_tokens

KEEPING_STEPS = 2


def keeping(world, word, who=None, **changes):
    plan = Plan(
        provider="acme",
        method=METHOD,
        api=Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT),
        redirect="http://127.0.0.1:4000/callback",
        host_id="urn:uuid:host",
        **changes,
    )
    proof = Proof(NOON, "sign-in")
    return Caller(world, admission.keep(plan, who or an_identity(), some_tokens(word), proof))


def orders(ones, others):
    """Every order in which two callers can take their steps."""
    if not ones or not others:
        return [[0] * ones + [1] * others]
    return [[0, *rest] for rest in orders(ones - 1, others)] + [[1, *rest] for rest in orders(ones, others - 1)]


@pytest.mark.parametrize("first", [0, 1])
def test_who_loses_the_insert_finds_the_row_of_who_won(world, first):
    callers = [keeping(world, "one"), keeping(world, "two")]
    for caller in callers:
        caller.reach(Save)

    won, lost = callers[first].finish(), callers[1 - first].finish()

    assert (won.generation, lost.generation) == (0, 1)
    assert world.ports.accounts.all() == [lost]
    assert lost.id == won.id
    assert world.stands(lost.id).tokens == some_tokens(("two", "one")[first])


@pytest.mark.parametrize("turns", orders(KEEPING_STEPS, KEEPING_STEPS))
def test_in_every_order_there_is_one_row_with_the_pair_that_was_saved_last(world, turns):
    callers = [keeping(world, "one"), keeping(world, "two")]

    interleave(callers, turns)
    kept = [caller.finish() for caller in callers]

    (account,) = world.ports.accounts.all()
    assert {each.id for each in kept} == {account.id}
    assert sorted(each.generation for each in kept) == [0, 1]
    assert account.generation == 1


def test_another_identity_is_not_taken_for_the_one_that_came_first(world):
    ada, bob = keeping(world, "one"), keeping(world, "two", replace(an_identity(), subject="subject-2"))
    for caller in (ada, bob):
        caller.reach(Save)

    kept = {ada.finish().id, bob.finish().id}

    assert {account.id for account in world.ports.accounts.all()} == kept
    assert len(kept) == 2


def test_a_row_that_is_forgotten_while_it_is_found_is_made_anew(world):
    first = keeping(world, "one").finish()
    again = keeping(world, "two")
    again.reach(Save)
    world.ports.accounts.forget(first.id)

    account = again.finish()

    assert world.ports.accounts.all() == [account]
    assert account.id != first.id
    assert account.generation == 0


def test_the_name_of_the_row_that_won_stays_unless_the_later_one_brings_its_own(world):
    named, unnamed, renaming = keeping(world, "1", name="work"), keeping(world, "2"), keeping(world, "3", name="home")
    for caller in (named, unnamed, renaming):
        caller.reach(Save)

    names = [caller.finish().name for caller in (named, unnamed, renaming)]

    assert names == ["work", "work", "home"]


def test_keys_of_no_identity_do_not_stand_in_each_others_way(world):
    nobody = Identity()
    work, home = keeping(world, "one", nobody, name="work"), keeping(world, "two", nobody, name="home")
    for caller in (work, home):
        caller.reach(Save)

    work.finish(), home.finish()

    assert {account.name for account in world.ports.accounts.all()} == {"work", "home"}


class Stubborn(MemoryAccounts):
    """Refuses every row, and finds none either."""

    def find(self, account):
        return None

    def save(self, held, *, read):
        return False


def test_a_store_that_refuses_a_row_and_never_finds_it_is_not_asked_for_ever():
    caller = keeping(World(vault=replace(memory_vault(), accounts=Stubborn())), "one")

    with pytest.raises(StoreBusy):
        caller.finish()

    assert sum(isinstance(step, FindAccount) for step in caller.taken) == admission.KEEP_TRIES
