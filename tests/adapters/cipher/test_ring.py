"""The key of a vault is moved from source to source, and at no moment is it shut."""

from base64 import b64encode

import pytest

from doorkey.adapters.cipher.ring import SqlKeyRing
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.command import KeyCommand
from doorkey.errors import KeyUnreadable, StoreBusy, UnknownName
from tests.adapters.cipher.installations import ENVIRON, SOURCES, Installation, Sticky, prepare, rotate, take
from tests.adapters.cipher.rings import Unsure, opened, whole
from tests.adapters.key_sources.test_keyring import Forgetful


@pytest.mark.parametrize("source", SOURCES)
def test_a_key_is_moved_and_opens_everything_from_there(installation, source):
    prepare(installation, source)
    with installation.open() as vault:
        take(vault.ring.move(source))

        facts = vault.ring.facts()

    installation.assert_whole()
    assert (facts.source, facts.problem, facts.left_behind) == (source, None, None)
    assert facts.protects


@pytest.mark.parametrize("source", SOURCES[1:])
def test_a_key_is_moved_back_into_the_file(installation, source):
    prepare(installation, source)
    with installation.open() as vault:
        take(vault.ring.move(source))
        assert not installation.file.path.exists()
        take(vault.ring.move("file"))
    installation.environ = {}

    installation.assert_whole()

    assert installation.file.path.exists()
    assert installation.desktop.items == {}


def test_the_same_source_gets_another_key(installation):
    before = installation.file.read()

    with installation.open() as vault:
        take(vault.ring.move("file"))

    installation.assert_whole()
    assert installation.file.read() != before
    assert len(installation.file.path.read_text().splitlines()) == 1


def test_a_command_may_print_the_key_that_the_file_holds(installation):
    key = b64encode(installation.file.read()).decode()
    sources = [KeyCommand(lambda: f"echo {key}"), installation.file]

    with opened(installation.folder, sources) as vault:
        take(vault.ring.move("command"))
        still = whole(vault, installation.kept)

    assert still
    assert not installation.file.path.exists()


def test_a_source_may_be_chosen_before_there_is_anything_to_seal(tmp_path):
    empty = Installation(tmp_path / "empty")

    with empty.open() as vault:
        take(vault.ring.move("keyring"))
    empty.fill()

    empty.assert_whole()
    assert not empty.file.path.exists()


def test_a_source_that_keeps_nothing_changes_nothing(installation):
    installation.desktop = Forgetful()
    with installation.open() as vault, pytest.raises(KeyUnreadable):
        take(vault.ring.move("keyring"))

    with installation.open() as vault:
        assert vault.ring.facts().source == "file"

    installation.assert_whole()


def test_a_source_of_another_name_is_unknown(installation):
    with installation.open() as vault, pytest.raises(UnknownName) as refused:
        take(vault.ring.move("cloud"))

    assert "keyring" in refused.value.hint


def test_no_other_source_is_tried_when_the_chosen_one_fails(installation):
    key = installation.file.read()
    with installation.open() as vault:
        take(vault.ring.move("keyring"))
    installation.desktop.items.clear()
    installation.file.path.write_text(b64encode(key).decode())
    installation.file.path.chmod(0o600)

    with installation.open() as vault:
        facts = vault.ring.facts()
        with pytest.raises(KeyUnreadable, match="keyring"):
            vault.accounts.load("acc_0")

    assert facts.source == "keyring"
    assert "missing" in facts.problem
    assert "doorkey key recover" in facts.hint


def test_a_key_that_could_not_be_removed_is_removed_later(installation):
    installation.desktop = Sticky()
    with installation.open() as vault:
        take(vault.ring.move("keyring"))
        take(vault.ring.move("file"))
        left = vault.ring.facts().left_behind
    installation.assert_whole()
    installation.desktop.sticks = False

    with installation.open() as vault:
        take(vault.ring.move("file"))
        facts = vault.ring.facts()

    installation.assert_whole()
    assert left == "keyring"
    assert facts.left_behind is None
    assert installation.desktop.items == {}


def test_of_two_moves_at_once_one_is_told_to_try_again(installation):
    with installation.open() as vault, installation.open() as another:
        slow = another.ring.move("file")
        next(slow)
        take(vault.ring.move("keyring"))

        with pytest.raises(StoreBusy):
            take(slow)

        facts = vault.ring.facts()
    installation.assert_whole()
    assert facts.source == "keyring"
    assert not installation.file.path.exists()


@pytest.mark.parametrize("source", ["file", "keyring"])
def test_a_commit_whose_end_is_unknown_costs_no_key(installation, source):
    with installation.open() as vault:
        database = Unsure(vault.database)
        unsure = SqlKeyRing(database, VaultCipher(database, installation.sources))

        with pytest.raises(StoreBusy):
            take(unsure.move(source))

    installation.assert_whole()


def test_a_move_during_a_rotation_takes_both_data_keys_along(installation):
    with installation.open() as vault, installation.open() as another:
        steps = vault.ring.rotate()
        next(steps)
        take(another.ring.move("keyring"))
        with pytest.raises(StoreBusy):
            take(steps)

        rotate(another)

    installation.assert_whole()


def test_a_key_that_a_vault_beside_needs_is_not_removed(installation, tmp_path):
    beside = installation.copy(tmp_path / "two")
    with installation.open() as vault, opened(beside.folder, [installation.file]) as other:
        take(vault.ring.move("file", beside=other.ring))

        still = whole(other, installation.kept)
        take(other.ring.move("file", beside=vault.ring))
        after = whole(other, installation.kept)

    installation.assert_whole()
    assert still
    assert after
    assert len(installation.file.path.read_text().splitlines()) == 2


def test_with_a_wrong_key_nothing_is_changed(installation):
    installation.environ = dict(ENVIRON)
    with installation.open() as vault:
        before = [tuple(row) for table in ("header", "data_keys") for row in vault.rows(f"SELECT * FROM {table}")]
        for steps in (vault.ring.move("file"), vault.ring.move("keyring"), vault.ring.rotate()):
            with pytest.raises(KeyUnreadable):
                take(steps)

        after = [tuple(row) for table in ("header", "data_keys") for row in vault.rows(f"SELECT * FROM {table}")]

    assert after == before
    assert installation.desktop.items == {}
    assert len(installation.file.path.read_text().splitlines()) == 1
