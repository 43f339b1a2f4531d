"""The key file: made once, closed to others, never replaced."""

import os
import stat

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.key_sources.source import Lock
from doorkey.errors import KeyUnreadable, StorageFull
from doorkey.testing.contracts.key_sources import KeySourceContract

VAULT = "a vault"


@pytest.fixture
def source(tmp_path):
    return KeyFile(tmp_path / "config")


class TestKeyFile(KeySourceContract):
    @pytest.fixture
    def source(self, tmp_path):
        return KeyFile(tmp_path / "config")


def test_the_key_that_was_made_is_read(source):
    made = source.create(VAULT).secret

    assert len(made) == 32
    assert source.read() == made


def test_only_its_owner_may_read_it(source):
    source.create(VAULT)

    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(source.path.parent.stat().st_mode) == 0o700


def test_a_key_that_another_vault_needs_stays(source):
    made = source.create(VAULT).secret

    source.drop(Lock.of(VAULT, made), lambda key: key == made)

    assert source.read() == made


def test_without_its_last_key_there_is_no_file(source):
    made = source.create(VAULT).secret

    source.drop(Lock.of(VAULT, made))

    assert list(source.path.parent.iterdir()) == []


def test_what_a_killed_program_left_half_written_is_in_nobodys_way(source):
    source.create(VAULT)
    source.path.with_name("doorkey.key.new").write_text("hal")

    made = source.create(VAULT).secret

    assert source.find(Lock.of(VAULT, made)) == made
    assert [path.name for path in source.path.parent.iterdir()] == ["doorkey.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(source, mode):
    source.create(VAULT)
    source.path.chmod(mode)

    with pytest.raises(KeyUnreadable) as refused:
        source.read()

    assert "chmod 600" in refused.value.hint


def test_a_link_is_refused(source, tmp_path):
    elsewhere = KeyFile(tmp_path)
    elsewhere.create(VAULT)
    source.path.parent.mkdir()
    source.path.symlink_to(elsewhere.path)

    with pytest.raises(KeyUnreadable) as refused:
        source.read()

    assert "link" in refused.value.hint


def test_a_pipe_in_its_place_is_refused_without_waiting(source):
    source.path.parent.mkdir()
    os.mkfifo(source.path, 0o600)

    with pytest.raises(KeyUnreadable):
        source.read()


@pytest.mark.parametrize("content", ["", "not a key", "c2hvcnQ=", "A" * 400])
def test_a_file_that_holds_no_key_is_refused_and_stays(source, content):
    source.path.parent.mkdir()
    source.path.write_text(content)
    source.path.chmod(0o600)

    with pytest.raises(KeyUnreadable):
        source.read()
    with pytest.raises(KeyUnreadable):
        source.create(VAULT)

    assert source.path.read_text() == content


def test_a_folder_that_cannot_be_made_is_no_room(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageFull):
        KeyFile(tmp_path / "file" / "config").create(VAULT)
