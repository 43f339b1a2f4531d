"""Recovery codes open the vault when the source of its key is gone."""

import pytest

from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from tests.adapters.cipher.installations import Installation, rotate, take


@pytest.mark.parametrize("source", ["file", "keyring", "passphrase"])
def test_the_code_opens_the_vault_when_the_source_is_gone(installation, source):
    with installation.open() as vault:
        code = rotate(vault)
        take(vault.ring.move(source))
    installation.file.path.unlink(missing_ok=True)
    installation.desktop.items.clear()

    with installation.open() as vault:
        take(vault.ring.move("file", code=code))

    installation.assert_whole()


def test_a_code_outlives_a_move_and_ends_with_the_next_one(installation):
    with installation.open() as vault:
        old = rotate(vault)
        take(vault.ring.move("keyring"))
        new = rotate(vault)
        with pytest.raises(KeyUnreadable, match="does not open"):
            take(vault.ring.move("file", code=old))

        take(vault.ring.move("file", code=new))

    installation.assert_whole()


def test_until_the_new_code_was_shown_the_old_one_counts(installation):
    with installation.open() as vault:
        old = rotate(vault)
        steps = vault.ring.rotate()
        new = next(step for step in steps if isinstance(step, Secret))
        del steps

        for code in (old, new):
            take(vault.ring.move("file", code=code))

    installation.assert_whole()


def test_two_rotations_at_once_leave_the_code_that_was_made_last(installation):
    with installation.open() as vault, installation.open() as another:
        first, second = vault.ring.rotate(), another.ring.rotate()
        early = next(step for step in first if isinstance(step, Secret))
        late = next(step for step in second if isinstance(step, Secret))
        take(first)
        take(second)

        take(vault.ring.move("file", code=late))
        with pytest.raises(KeyUnreadable):
            take(vault.ring.move("file", code=early))

    installation.assert_whole()


@pytest.mark.parametrize("table", ["data_keys", "recovery_codes"])
def test_wrapped_keys_of_another_vault_do_not_open(installation, tmp_path, table):
    column = {"data_keys": "wrapped", "recovery_codes": "master"}[table]
    other = Installation(tmp_path / "two")
    other.fill()
    with installation.open() as vault, other.open() as foreign:
        code, _ = rotate(vault), rotate(foreign)
        (theirs,) = foreign.rows(f"SELECT * FROM {table}")
        vault.rows(f"UPDATE {table} SET {column} = ?", (theirs[column],))

    with installation.open() as vault, pytest.raises(KeyUnreadable):
        take(vault.ring.move("file", code=code if table == "recovery_codes" else None))


def test_the_two_halves_of_a_code_do_not_open_in_each_others_place(installation):
    with installation.open() as vault:
        rotate(vault)
        vault.rows("UPDATE recovery_codes SET code_key = master")

        with pytest.raises(KeyUnreadable):
            take(vault.ring.move("file"))

    installation.assert_whole()
