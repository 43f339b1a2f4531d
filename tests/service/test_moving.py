"""What moves with an account, what becomes of those that are here already, and who goes on serving."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from doorkey.domain.account import Standing, State
from doorkey.domain.policy import Policy, Storage, Verdict
from doorkey.domain.provider import Kind, Method
from doorkey.errors import KeyUnreadable, StoreBusy, UnknownName
from doorkey.service.moving import Fate, Moving
from doorkey.testing.values import HOUR, NOON, an_identity, some_tokens
from tests.service.fakes import ACME, LOCAL, OTHER, House

ADA = {"identity": an_identity()}
BOB = {"identity": replace(an_identity(), subject="subject-2", email="bob@example.com")}
PROFILE = Method(id="profile", kind=Kind.PROFILE, name="The vendor's own tool")
HOME = Method(
    id="home",
    kind=Kind.API_KEY,
    name="Home only",
    policy=Policy(verdict=Verdict.ALLOWED, note="", storage=Storage.LOCAL),
)
PROVIDERS = (replace(ACME, methods=(*ACME.methods, PROFILE, HOME)), OTHER, LOCAL)


def moving_of(house: House, **ports) -> Moving:
    house.catalog.providers = PROVIDERS
    given: dict[str, Any] = {
        "accounts": house.world.ports.accounts,
        "catalog": house.catalog,
        "choices": house.choices,
        "cipher": house.world.vault.cipher,
        "clock": house.clock,
        "resolver": house.resolver,
    }
    return Moving(**(given | ports))


@pytest.fixture
def old() -> House:
    return House()


@pytest.fixture
def new() -> House:
    return House()


def move(old, new, *, over=False):
    """Take in at the new house what the old one packs, and return what became of it."""
    bundle = moving_of(old).pack()
    moves = moving_of(new).plan(bundle, over=over)
    moving_of(new).take_in(bundle, moves)
    return [(each.fate, each.reason) for each in moves]


def test_an_account_stands_in_the_new_vault_as_in_the_old(old, new):
    account = old.keep(name="work", generation=4)

    fates = move(old, new)

    assert fates == [(Fate.ADDED, None)]
    assert new.world.stands(account.id) == old.world.stands(account.id)


def test_a_wait_of_the_moment_does_not_move_and_a_dead_sign_in_stays_dead(old, new):
    standing = Standing(state=State.SIGN_IN_NEEDED, reason="revoked", retry_at=NOON + HOUR, failures=3)
    account = old.keep(standing=standing)

    move(old, new)

    stands = new.world.stands(account.id).account.standing
    assert stands == Standing(state=State.SIGN_IN_NEEDED, reason="revoked")


def test_only_what_is_named_is_packed(old):
    old.keep(name="work")
    bob = old.keep(**BOB)

    packed = moving_of(old).pack(["bob@example.com"])

    assert [held.account for held in packed.accounts] == [bob]


@pytest.mark.parametrize("name", ["nobody", ""])
def test_a_name_that_fits_nobody_packs_nothing(old, name):
    old.keep(name="work")

    with pytest.raises(UnknownName, match="no account “"):
        moving_of(old).pack(["work", name])


def test_an_empty_vault_has_nothing_to_pack(old):
    with pytest.raises(UnknownName, match="no account to export"):
        moving_of(old).pack()


def test_what_a_vendors_tool_keeps_is_left_out(old):
    old.keep_key(method="profile")

    with pytest.raises(UnknownName, match="no account to export"):
        moving_of(old).pack()


def test_a_policy_that_wants_tokens_at_home_is_told(old):
    local, anywhere = old.keep_key(method="home"), old.keep()

    told = [moving_of(old).is_local(account) for account in (local, anywhere)]

    assert told == [True, False]


def test_without_the_key_nothing_is_packed(old):
    old.keep()
    accounts = old.world.ports.accounts

    class Locked:
        all = accounts.all

        def load(self, account):
            raise KeyUnreadable("The key is missing.")

    with pytest.raises(KeyUnreadable):
        moving_of(old, accounts=Locked()).pack()


def test_without_the_key_nothing_is_taken_in(old, new):
    old.keep()
    bundle = moving_of(old).pack()
    moves = moving_of(new).plan(bundle)
    new.world.vault.cipher.missing = True

    with pytest.raises(KeyUnreadable):
        moving_of(new).take_in(bundle, moves)

    assert new.book.all() == []
    assert new.choices.get("served:acme") is None


def test_the_same_again_changes_nothing(old, new):
    account = old.keep()
    move(old, new)

    fates = move(old, new, over=True)

    assert fates == [(Fate.KEPT, "it is here already, as it is in the file")]
    assert new.world.stands(account.id) == old.world.stands(account.id)


def test_who_is_here_already_stays(old, new):
    old.keep(**ADA, tokens=some_tokens("there"))
    here = new.keep(**ADA, tokens=some_tokens("here"))

    fates = move(old, new)

    assert fates == [(Fate.KEPT, "it is here already; --replace takes the one from the file")]
    assert new.world.stands(here.id).tokens == some_tokens("here")


def test_replacing_keeps_the_row_and_raises_its_generation(old, new):
    old.keep(**ADA, tokens=some_tokens("there"), name="there", generation=9)
    here = new.keep(**ADA, tokens=some_tokens("here"), name="here", generation=3, created_at=NOON - HOUR)

    fates = move(old, new, over=True)

    stands = new.world.stands(here.id)
    assert fates == [(Fate.REPLACED, None)]
    assert (stands.tokens, stands.account.generation) == (some_tokens("there"), 10)
    assert (stands.account.name, stands.account.created_at) == ("here", NOON - HOUR)


def test_a_generation_is_never_lowered(old, new):
    old.keep(**ADA, tokens=some_tokens("there"), generation=1)
    here = new.keep(**ADA, tokens=some_tokens("here"), generation=8)

    move(old, new, over=True)

    assert new.world.stands(here.id).account.generation == 9


@pytest.mark.parametrize(("over", "fate"), [(False, Fate.KEPT), (True, Fate.REPLACED)])
def test_a_newer_pair_here_is_told_either_way(old, new, over, fate):
    old.keep(**ADA, tokens=some_tokens("there"))
    new.keep(**ADA, tokens=some_tokens("here", issued_at=NOON + timedelta(minutes=1)))

    fates = move(old, new, over=over)

    assert fates == [(fate, "what is here is newer than the file")]


def test_of_two_pairs_of_one_moment_the_higher_generation_is_newer(old, new):
    old.keep(**ADA, tokens=some_tokens("there"), generation=1)
    new.keep(**ADA, tokens=some_tokens("here"), generation=2)

    fates = move(old, new)

    assert fates == [(Fate.KEPT, "what is here is newer than the file")]


def test_an_id_that_is_somebody_elses_here_takes_nothing_over(old, new):
    old.keep(id="acc_1")
    here = new.keep(id="acc_1", **BOB)

    fates = move(old, new, over=True)

    assert fates == [(Fate.KEPT, "its id belongs to another account here")]
    assert new.world.stands("acc_1").account == here


def test_an_account_that_changes_while_the_person_decides_is_left(old, new):
    old.keep(**ADA, tokens=some_tokens("there"))
    here = new.keep(**ADA, tokens=some_tokens("here"))
    bundle = moving_of(old).pack()
    moves = moving_of(new).plan(bundle, over=True)
    stands = new.world.stands(here.id)
    renewed = replace(stands, account=replace(here, generation=1), tokens=some_tokens("renewed"))
    new.accounts.save(renewed, read=0)

    with pytest.raises(StoreBusy, match="changed here meanwhile"):
        moving_of(new).take_in(bundle, moves)

    assert new.world.stands(here.id) == renewed


def test_who_signs_in_while_the_person_decides_is_not_doubled(old, new):
    old.keep(**ADA, tokens=some_tokens("there"))
    bundle = moving_of(old).pack()
    moves = moving_of(new).plan(bundle)
    here = new.keep(**ADA, tokens=some_tokens("here"))

    with pytest.raises(StoreBusy, match="changed here meanwhile"):
        moving_of(new).take_in(bundle, moves)

    assert new.book.all() == [here]


def test_the_yeses_to_a_method_move_with_its_account_and_those_of_one_computer_do_not(old, new):
    old.keep(method="contested")
    for name in ("method:acme:contested", "method:acme:oauth", "env-file:/home/ada/.env", "env-key:acme"):
        old.consents.record(name)

    move(old, new)

    given = ("method:acme:contested", "method:acme:oauth", "env-file:/home/ada/.env", "env-key:acme")
    assert [new.consents.given(name) for name in given] == [True, False, False, False]


def test_a_yes_of_its_own_keeps_its_date(old, new):
    old.keep(method="contested")
    old.consents.record("method:acme:contested")
    new.choices.set("consent:method:acme:contested", "earlier")

    move(old, new)

    assert new.choices.get("consent:method:acme:contested") == "earlier"


def test_who_served_there_serves_here(old, new):
    old.keep()
    bob = old.keep(**BOB)
    old.book.use(bob)

    move(old, new)

    assert new.resolver.default("acme") == bob


def test_who_served_there_without_being_chosen_serves_here_too(old, new):
    old.keep_key(created_at=NOON - HOUR)
    ada = old.keep()

    move(old, new)

    assert new.resolver.default("acme") == ada


def test_who_serves_here_goes_on_serving(old, new):
    old.keep(created_at=NOON - HOUR)
    key = new.keep_key()

    move(old, new)

    assert len(new.book.all()) == 2
    assert new.resolver.default("acme") == key


def test_a_default_that_was_left_out_chooses_nobody(old, new):
    old.book.use(old.keep(**BOB))
    ada = old.keep()
    bundle = moving_of(old).pack()

    moving_of(new).take_in(bundle, moving_of(new).plan(bundle, [ada.id]))

    assert new.choices.get("default:acme") is None
    assert new.book.all() == [ada]


def test_a_key_of_the_environment_asks_before_it_pays_in_place_of_a_moved_account(old, new):
    account = old.keep()

    move(old, new)

    assert new.choices.get("served:acme") == account.id


def test_a_method_that_the_config_here_lacks_is_told(old, new):
    old.keep(provider="acme", method="gone")
    known = [moving_of(new).is_known(move.there.account) for move in moving_of(new).plan(moving_of(old).pack())]

    assert known == [False]


class Killed(BaseException):
    """The process is gone."""


class Doomed:
    """Fill a port whose process is killed before one of its writes, counted over all ports that share `left`."""

    def __init__(self, port, left):
        self._port = port
        self._left = left

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def maybe(*arguments, **named):
            if next(self._left) <= 0:
                raise Killed
            return method(*arguments, **named)

        return maybe if name in {"save", "set"} else method


@pytest.mark.parametrize("writes", range(12))
def test_killed_before_any_write_a_second_restore_makes_it_whole(old, new, writes):
    old.keep_key(created_at=NOON - HOUR)
    old.book.use(old.keep(method="contested"))
    old.keep(**BOB)
    old.consents.record("method:acme:contested")
    new.keep(tokens=some_tokens("here"), **BOB)
    whole = House()
    whole.keep(tokens=some_tokens("here"), **BOB)
    move(old, whole, over=True)

    left = count(writes, -1)
    doomed = moving_of(new, accounts=Doomed(new.accounts, left), choices=Doomed(new.choices, left))
    bundle = moving_of(old).pack()
    try:
        doomed.take_in(bundle, doomed.plan(bundle, over=True))
    except Killed:
        serving = new.resolver.default("acme")
        assert serving is not None
        assert serving.identity.email == "bob@example.com"
    move(old, new, over=True)

    assert sorted(map(tokens_by_id(new), new.book.all())) == sorted(map(tokens_by_id(whole), whole.book.all()))
    assert choices_of(new) == choices_of(whole)


def tokens_by_id(house):
    def read(account):
        return account.identity.email or "", house.world.stands(account.id).tokens.access.reveal()

    return read


def choices_of(house):
    emails = {account.id: account.identity.email for account in house.book.all()}
    names = ("default:acme", "served:acme", "consent:method:acme:contested")
    return [emails.get(value, value) for value in map(house.choices.get, names)]
