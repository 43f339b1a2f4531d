"""Several real processes on the keys of one vault: nothing is lost, and it always opens."""

import pytest

from doorkey.adapters.cipher.rotation import BATCH
from doorkey.testing.values import held, some_tokens
from tests.adapters.cipher import races
from tests.adapters.cipher.rings import opened, whole
from tests.adapters.store.test_processes import race

pytestmark = pytest.mark.slow


def test_what_is_saved_while_another_program_rotates_is_never_left_under_an_ended_key(tmp_path):
    ended = race(
        (races.rotate, tmp_path, 20), (races.renew, tmp_path, "acc_1", 100), (races.renew, tmp_path, "acc_2", 100)
    )

    with opened(tmp_path) as vault:
        tokens = [vault.accounts.load(account).tokens.access.reveal() for account in ("acc_1", "acc_2")]
        keys = vault.rows("SELECT id FROM data_keys")
    assert ended == [0, 0, 0]
    assert tokens == ["acc_1-100", "acc_2-100"]
    assert len(keys) == 1


def test_two_programs_that_move_the_key_at_once_leave_one_that_fits(tmp_path):
    mine = held(id="acc_1")
    with opened(tmp_path) as vault:
        vault.accounts.save(mine, read=None)

    ended = race((races.move, tmp_path), (races.move, tmp_path), (races.rotate, tmp_path, 1))

    with opened(tmp_path) as vault:
        assert whole(vault, [mine])
    assert 0 in ended[:2]
    assert set(ended[:2]) <= {0, races.BUSY}


def test_a_program_that_was_killed_while_rotating_leaves_a_vault_that_opens(tmp_path):
    kept = [held(some_tokens(str(number)), id=f"acc_{number}") for number in range(BATCH + 1)]
    with opened(tmp_path) as vault:
        for each in kept:
            vault.accounts.save(each, read=None)

    ended = race((races.die_rotating, tmp_path))

    with opened(tmp_path) as vault:
        half = vault.ring.facts().rotating
        assert whole(vault, kept)
        for _ in vault.ring.rotate():
            pass
        assert whole(vault, kept)
    assert (ended, half) == ([9], True)
