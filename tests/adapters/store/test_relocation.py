"""An account whose terms have changed moves to the vault where it belongs, once, wherever the move is broken off."""

from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store import postgres
from doorkey.adapters.store.relocation import HIDDEN, SPAN, Relocation, visible
from doorkey.adapters.store.split import split
from doorkey.adapters.store.sqlite import open_vault
from doorkey.domain.account import Identity
from doorkey.domain.secret import Secret
from doorkey.errors import UnknownName
from doorkey.testing.clock import FakeMachine
from doorkey.testing.values import held, some_tokens

ADA = Identity(issuer="https://issuer.example", subject="ada", email="ada@example.org")


class Terms:
    """Say of every known method whether it stays here."""

    def __init__(self, *, stays):
        self.stays = stays

    def __call__(self, provider, method):
        return None if method == "gone" else self.stays

    def confined(self):
        return ["acme"] if self.stays else []


class KilledError(BaseException):
    """The process ends here."""


class Mortal:
    """The stores of a vault for a process that is killed right before its call number `life`."""

    def __init__(self, inner, life):
        self._inner = inner
        self._life = life

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return Mortal(found, self._life)

        def call(*values, **named):
            self._life.left -= 1
            if self._life.left <= 0:
                raise KilledError
            return found(*values, **named)

        return call


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def opened(tmp_path, machine):
    """Make vaults with keys of their own, as many as a test wants."""
    made = []

    def make(name):
        made.append(open_vault(tmp_path / name, [KeyFile(tmp_path / name)], machine=machine))
        return made[-1]

    yield make
    for vault in made:
        vault.close()


@pytest.fixture
def shared(opened):
    return opened("shared")


@pytest.fixture
def local(opened):
    return opened("local")


def sign_in(vault, **changes):
    kept = held(some_tokens("one"), **({"identity": ADA, "name": "work", "generation": 4} | changes))
    vault.accounts.save(kept, read=None)
    return kept


def ids(vault):
    return [account.id for account in vault.accounts.all()]


def is_committed(shared, _):
    return HIDDEN in [account.provider for account in shared.accounts.all()]


def is_killed(shared: Any, local: Any, account, *, stays, moment):
    """Move an account at the start or after a sign-in, killed at this moment unless it is done by then."""
    life = SimpleNamespace(left=moment)
    two: Any = {"shared": Mortal(shared, life), "local": Mortal(local, life)}
    relocation = Relocation(**two, terms=Terms(stays=stays))
    try:
        relocation.settle() if stays else relocation.move(account)
    except KilledError:
        return True
    return False


def kill_when(happened, shared, local, machine):
    """Kill the move of an account that must stay here by now, right after this; its lease has run out then."""
    for moment in range(1, 40):
        assert is_killed(shared, local, None, stays=True, moment=moment)
        machine.sleep(SPAN)
        if happened(shared, local):
            return


def test_what_must_stay_here_by_now_leaves_the_shared_vault(shared, local):
    kept = sign_in(shared)

    vault = split(shared, local, Terms(stays=True))

    moved = vault.accounts.load(kept.account.id)
    assert (ids(shared), ids(local)) == ([], [kept.account.id])
    assert moved.tokens == kept.tokens
    assert moved.account == replace(kept.account, generation=moved.account.generation)
    assert moved.account.generation > kept.account.generation
    assert not vault.is_shared(kept.account.id)


def test_what_may_be_shared_leaves_this_machine_when_somebody_signs_in_again_and_no_sooner(shared, local):
    kept = sign_in(local)
    vault = split(shared, local, Terms(stays=False))
    before = (ids(shared), ids(local))

    again = replace(kept, tokens=some_tokens("two"), account=replace(kept.account, generation=5))
    vault.accounts.save(again, read=4)

    assert before == ([], [kept.account.id])
    assert (ids(shared), ids(local)) == ([kept.account.id], [])
    assert vault.accounts.load(kept.account.id).tokens == again.tokens
    assert vault.is_shared(kept.account.id)


@pytest.mark.postgres
def test_it_is_the_same_between_a_database_and_a_file(local, postgres_url, tmp_path, machine):
    shared, _ = postgres.open_vault(Secret(postgres_url), [KeyFile(tmp_path / "shared")], machine=machine)
    with closing(shared):
        kept = sign_in(shared)
        vault = split(shared, local, Terms(stays=True))
        here = vault.accounts.load(kept.account.id)
        back = Relocation(shared=shared, local=local, terms=Terms(stays=False))
        back.move(here.account)

        assert here.tokens == kept.tokens
        assert shared.accounts.load(kept.account.id).tokens == kept.tokens
        assert not ids(local)


def test_what_the_config_does_not_know_stays_where_it_is(shared, local):
    here, there = sign_in(local, method="gone"), sign_in(shared, method="gone")

    for stays in (True, False):
        split(shared, local, Terms(stays=stays))

    assert (ids(shared), ids(local)) == ([there.account.id], [here.account.id])


def test_an_account_that_somebody_renews_moves_later(shared, local):
    kept = sign_in(shared)
    lease = shared.leases.take(kept.account.id, SPAN)

    vault = split(shared, local, Terms(stays=True))
    before = ids(shared)
    shared.leases.release(lease)
    vault.settle()

    assert before == [kept.account.id]
    assert (ids(shared), ids(local)) == ([], [kept.account.id])


def test_who_signs_in_again_moves_the_account(shared, local):
    kept = sign_in(shared)
    terms = Terms(stays=False)
    vault = split(shared, local, terms)
    terms.stays = True

    again = replace(kept, tokens=some_tokens("two"), account=replace(kept.account, generation=5))
    saved = vault.accounts.save(again, read=4)

    assert saved
    assert (ids(shared), ids(local)) == ([], [kept.account.id])
    assert vault.accounts.load(kept.account.id).tokens == again.tokens


def test_the_same_identity_in_both_stays_in_both(shared, local):
    there, here = sign_in(shared), sign_in(local)

    vault = split(shared, local, Terms(stays=True))

    assert (ids(shared), ids(local)) == ([there.account.id], [here.account.id])
    assert len(vault.accounts.all()) == 2


def test_a_vault_that_does_not_open_moves_nothing_and_goes_on(shared, local, opened, tmp_path):
    kept = sign_in(shared)
    (tmp_path / "shared" / "doorkey.key").unlink()

    vault = split(opened("shared"), local, Terms(stays=True))

    assert [account.id for account in vault.accounts.all()] == [kept.account.id]
    assert (ids(shared), ids(local)) == ([kept.account.id], [])


def test_an_account_that_was_renewed_meanwhile_is_moved_as_it_is_then(shared, local):
    kept = sign_in(shared)
    newer = replace(kept, tokens=some_tokens("two"), account=replace(kept.account, generation=5))
    owns = shared.leases.owns

    def renewed(lease, span):
        shared.accounts.save(newer, read=4)
        return owns(lease, span)

    late = SimpleNamespace(take=shared.leases.take, owns=renewed, release=shared.leases.release)
    Relocation(shared=replace(shared, leases=late), local=local, terms=Terms(stays=True)).settle()
    first = (ids(shared), ids(local))
    split(shared, local, Terms(stays=True))

    assert first == ([kept.account.id], [])
    assert local.accounts.load(kept.account.id).tokens == newer.tokens


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("moment", range(1, 40))
def test_a_move_that_is_killed_leaves_one_readable_account(shared, local, machine, stays, moment):
    source, target = (shared, local) if stays else (local, shared)
    kept = sign_in(source)

    if is_killed(shared, local, kept.account, stays=stays, moment=moment):
        machine.sleep(SPAN)
    vault = split(shared, local, Terms(stays=stays))

    (account,) = vault.accounts.all()
    assert account.id == kept.account.id
    assert vault.accounts.load(account.id).tokens == kept.tokens
    Relocation(shared=shared, local=local, terms=Terms(stays=stays)).move(account)
    (account,) = vault.accounts.all()
    assert vault.accounts.load(account.id).tokens == kept.tokens
    assert account.generation > kept.account.generation
    assert visible(source.accounts.all()) == []
    assert target.accounts.all() == [account]


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("moment", range(1, 40))
def test_nobody_ever_sees_two_of_it_or_an_empty_one(shared, local, stays, moment):
    """Right after the kill, without anybody who puts it in order."""
    kept = sign_in(shared if stays else local)
    vault = split(shared, local, Terms(stays=not stays))

    is_killed(shared, local, kept.account, stays=stays, moment=moment)

    seen = vault.accounts.all()
    assert len(seen) <= 1
    for account in seen:
        assert vault.accounts.load(account.id).tokens == kept.tokens
        assert vault.accounts.one(account.id) == account
        assert vault.accounts.find(kept.account) == account
    if not seen:
        assert vault.accounts.one(kept.account.id) is None
        assert not vault.accounts.named("work")
        with pytest.raises(UnknownName):
            vault.accounts.load(kept.account.id)


def test_a_machine_does_not_take_what_another_one_moves(shared, local, opened, machine):
    """The desk is killed right after its copy became the valid one; the laptop shares the database with it."""
    kept = sign_in(shared)
    kill_when(is_committed, shared, local, machine)
    laptop = opened("laptop")

    seen = split(shared, laptop, Terms(stays=True)).accounts.all()
    desk = split(shared, local, Terms(stays=True))

    assert not seen
    assert not ids(laptop)
    assert desk.accounts.load(kept.account.id).tokens == kept.tokens
    assert not ids(shared)


def test_a_copy_that_came_to_nothing_is_removed_when_another_machine_has_moved_the_account(
    shared, local, opened, machine
):
    """The desk is killed before its copy was valid, the laptop moves the account, the desk starts again."""
    kept = sign_in(shared)
    kill_when(lambda _, local: ids(local), shared, local, machine)
    laptop = split(shared, opened("laptop"), Terms(stays=True))

    desk = split(shared, local, Terms(stays=True))

    assert laptop.accounts.load(kept.account.id).tokens == kept.tokens
    assert not desk.accounts.all()
    assert not ids(local)


def test_an_identity_that_signs_in_before_the_move_is_finished_keeps_both(shared, local, machine):
    kept = sign_in(shared)
    kill_when(is_committed, shared, local, machine)
    here = sign_in(local)

    vault = split(shared, local, Terms(stays=True))

    assert (ids(shared), ids(local)) == ([kept.account.id], [here.account.id])
    assert vault.accounts.load(kept.account.id).tokens == kept.tokens


def test_the_tokens_leave_the_old_vault_with_the_commit(shared, local, machine):
    kept = sign_in(shared)
    kill_when(is_committed, shared, local, machine)

    mark = shared.accounts.load(kept.account.id)

    assert mark.tokens.access == Secret("")
    assert mark.tokens.refresh is None
