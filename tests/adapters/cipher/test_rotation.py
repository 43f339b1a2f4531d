"""A rotation seals everything under a new data key, whoever reads and writes meanwhile."""

from datetime import timedelta

import pytest

from doorkey.adapters.cipher import rotation
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, StoreBusy
from doorkey.testing.values import an_identity, held, some_tokens
from tests.adapters.cipher.installations import Installation, rotate, take
from tests.adapters.cipher.rings import Overtaken


def test_a_rotation_leaves_one_data_key_and_no_row_under_the_old_one(installation):
    with installation.open() as vault:
        (before,) = vault.rows("SELECT id FROM data_keys")
        sealed = [row["tokens"] for row in vault.rows("SELECT tokens FROM accounts ORDER BY id")]

        steps = take(vault.ring.rotate())

        (after,) = vault.rows("SELECT id FROM data_keys")
        again = [row["tokens"] for row in vault.rows("SELECT tokens FROM accounts ORDER BY id")]
    installation.assert_whole()
    assert after["id"] != before["id"]
    assert not set(sealed) & set(again)
    assert steps[-2] == 0
    assert isinstance(steps[-1], Secret)


def test_a_rotation_passes_over_no_name_that_a_provider_made_up(tmp_path):
    odd = Installation(tmp_path / "odd")
    odd.kept = [held(id="acc_odd", identity=an_identity(email="half a pair \ud800", name="\0"))]
    odd.fill()

    with odd.open() as vault:
        take(vault.ring.rotate())

    odd.assert_whole()


def test_a_rotation_goes_in_batches_and_goes_on_where_it_stopped(tmp_path):
    many = Installation(tmp_path / "many")
    many.kept = [held(some_tokens(str(number)), id=f"acc_{number}") for number in range(2 * rotation.BATCH + 1)]
    many.fill()
    with many.open() as vault:
        steps = vault.ring.rotate()
        left = [next(steps), next(steps)]
        half = vault.ring.facts().rotating
        del steps
        with many.open() as another:
            rest = [step for step in another.ring.rotate() if isinstance(step, int)]
            done = another.ring.facts().rotating

    many.assert_whole()
    assert left == [rotation.BATCH + 1, 1]
    assert rest == [0]
    assert (half, done) == (True, False)


def test_what_is_saved_during_a_rotation_is_sealed_by_the_newest_key(installation):
    more = held(some_tokens("more"), id="acc_more")
    with installation.open() as vault, installation.open() as another:
        another.accounts.save(held(some_tokens("warm"), id="acc_warm"), read=None)
        steps = vault.ring.rotate()
        next(steps)
        another.accounts.save(more, read=None)
        take(steps)

        loaded = another.accounts.load("acc_more")

    assert loaded == more


def test_nobody_rotates_while_a_row_is_sealed_and_written(installation):
    with installation.open() as vault, installation.open(patience=timedelta(0)) as another:
        with vault.cipher.sealing(), pytest.raises(StoreBusy):
            rotate(another)

        rotate(another)

    installation.assert_whole()


def test_who_is_overtaken_by_a_rotation_seals_with_the_new_key(installation):
    more = held(some_tokens("more"), id="acc_more")
    with installation.open() as vault, installation.open() as another:
        database = Overtaken(vault.database, lambda: rotate(another))
        slow = SqlAccounts(database, VaultCipher(database, installation.sources))

        saved = slow.save(more, read=None)

        loaded = another.accounts.load("acc_more")
    assert saved
    assert loaded == more


def test_who_read_a_row_before_a_rotation_ended_reads_it_again(installation):
    with installation.open() as vault, installation.open() as slow:
        row = slow.accounts._row("acc_0")
        rotate(vault)
        with pytest.raises(KeyUnreadable):
            slow.accounts._open(row)

        loaded = slow.accounts.load("acc_0")

    assert loaded == installation.kept[0]


def test_a_row_that_does_not_open_stops_a_rotation_and_nothing_is_lost(installation):
    with installation.open() as vault:
        vault.rows("UPDATE accounts SET tokens = (SELECT tokens FROM accounts WHERE id = 'acc_1') WHERE id = 'acc_2'")
        with pytest.raises(KeyUnreadable):
            take(vault.ring.rotate())

        loaded = [vault.accounts.load(f"acc_{number}") for number in range(2)]
        vault.accounts.forget("acc_2")
        take(vault.ring.rotate())

    assert loaded == installation.kept[:2]
