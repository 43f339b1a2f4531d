"""What the witness sees of accounts, and that a use costs the hot path nothing."""

import pytest

from doorkey.adapters.runtime.aio import AsyncRuntime
from doorkey.domain.account import Proof, Standing
from doorkey.domain.audit import Action, Errand, Surface
from doorkey.service.resolve import Wish
from doorkey.service.sources import Sources
from doorkey.service.witness import WatchedAccounts, WatchedBook, WatchedMoving, Witness
from doorkey.testing.memory import MemoryAccounts, MemoryAudit
from doorkey.testing.script import answer
from doorkey.testing.values import NOON, held
from tests.service.fakes import IN_ENVIRONMENT


class Watched:
    """The services of a house with a witness among them."""

    def __init__(self, house):
        self.house = house
        self.audit = MemoryAudit()
        self.errand = Errand(Surface.CLI, "doorkey token")
        self.witness = Witness(self.audit, house.clock, lambda: self.errand)
        self.sources = Sources(
            accounts=house.accounts,
            leases=house.world.ports.leases,
            profiles={},
            clock=house.clock,
            runner=house.runtime,
            async_runner=lambda: AsyncRuntime(house.runtime),
            practice=house.practice,
            used=self.witness.saw_use,
        )
        self.book = WatchedBook(
            self.witness,
            accounts=house.accounts,
            catalog=house.catalog,
            choices=house.choices,
            resolver=house.resolver,
            runner=house.runtime,
            leases=house.world.ports.leases,
            left=house.forget_models,
        )

    def choose(self):
        return self.house.resolver.choose(Wish(provider="acme"))

    @property
    def seen(self):
        return [entry.action for entry in self.audit.read(100)]


@pytest.fixture
def watched(house):
    return Watched(house)


def test_a_use_tells_who_used_what_and_on_which_errand(watched):
    account = watched.house.keep(name="work")

    watched.sources.of(watched.choose()).get()

    (entry,) = watched.audit.read(10)
    assert (entry.at, entry.action, entry.surface, entry.detail) == (NOON, Action.USED, Surface.CLI, "doorkey token")
    assert (entry.account, entry.label, entry.provider, entry.method) == (account.id, "work", "acme", "oauth")


def test_the_fresh_path_records_nothing(watched):
    watched.house.keep()
    source = watched.sources.of(watched.choose())
    source.get()

    for _ in range(100):
        source.get()

    assert watched.seen == [Action.USED]


async def test_asyncio_is_seen_as_well(watched):
    watched.house.keep()
    source = watched.sources.async_of(watched.choose(), "chat cht_1")

    await source.get()
    await source.get()

    assert [entry.detail for entry in watched.audit.read(10)] == ["chat cht_1"]


def test_each_chat_is_seen_though_another_has_the_token_fresh(watched):
    watched.house.keep()

    for chat in ("chat one", "chat two"):
        watched.sources.of(watched.choose(), chat).get()

    assert [entry.detail for entry in watched.audit.read(10)] == ["chat two", "chat one"]


def test_a_key_from_the_environment_is_named_without_an_account(watched):
    watched.house.surroundings.keys.append(IN_ENVIRONMENT)

    watched.sources.of(watched.choose()).get()

    (entry,) = watched.audit.read(10)
    assert (entry.account, entry.label) == (None, "ACME_API_KEY from the environment")
    assert IN_ENVIRONMENT.secret.reveal() not in repr(entry)


def test_the_errand_is_the_one_of_the_moment(watched):
    account = watched.house.keep()
    watched.errand = Errand(Surface.APP)

    watched.witness.saw(Action.EXPORTED, account)

    (entry,) = watched.audit.read(10)
    assert (entry.surface, entry.detail) == (Surface.APP, None)


@pytest.mark.parametrize(
    ("revoke_too", "status", "seen"),
    [(False, 200, ["forgot"]), (True, 200, ["forgot", "revoked"]), (True, 503, ["forgot"])],
)
def test_who_leaves_is_seen_and_only_what_was_confirmed_is_a_revocation(watched, revoke_too, status, seen):
    account = watched.house.keep()
    watched.house.world.endpoints.scripted = [answer(status)]

    watched.book.leave(account, revoke_too=revoke_too)

    assert watched.seen == seen


def test_who_is_packed_is_exported_and_who_is_taken_in_restored(watched, house):
    account = house.keep()
    ports = {
        "catalog": house.catalog,
        "choices": house.choices,
        "cipher": house.world.vault.cipher,
        "clock": house.clock,
        "resolver": house.resolver,
    }
    bundle = WatchedMoving(watched.witness, accounts=house.accounts, **ports).pack()
    elsewhere = WatchedMoving(watched.witness, accounts=MemoryAccounts(), **ports)

    elsewhere.take_in(bundle, elsewhere.plan(bundle))

    assert watched.seen == [Action.RESTORED, Action.EXPORTED]
    assert {entry.account for entry in watched.audit.read(10)} == {account.id}


class TestAccounts:
    """What is saved is a sign-in or a renewal."""

    @pytest.fixture
    def accounts(self, watched):
        return WatchedAccounts(MemoryAccounts(), watched.witness)

    def test_a_new_account_has_signed_in(self, accounts, watched):
        accounts.save(held(), read=None)

        assert watched.seen == [Action.SIGNED_IN]

    @pytest.mark.parametrize(("call", "action"), [("renewal", Action.RENEWED), ("sign-in", Action.SIGNED_IN)])
    def test_a_newer_pair_tells_by_its_proof_where_it_comes_from(self, accounts, watched, call, action):
        accounts.save(held(id="acc_1"), read=None)

        accounts.save(held(id="acc_1", generation=1, standing=Standing(proof=Proof(NOON, call))), read=0)

        assert watched.seen == [action, Action.SIGNED_IN]

    def test_what_was_not_saved_is_not_seen(self, accounts, watched):
        accounts.save(held(id="acc_1", generation=1), read=0)

        assert watched.seen == []
