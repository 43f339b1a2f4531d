from pathlib import Path

import pytest

from doorkey.adapters.paths import Folders
from doorkey.errors import StorageFull


def test_doorkey_home_is_one_folder_for_all(tmp_path):
    folders = Folders.of({"DOORKEY_HOME": str(tmp_path / "own")})

    assert folders == Folders(data=tmp_path / "own", config=tmp_path / "own")


def test_a_tilde_in_doorkey_home_is_the_persons_home(home):
    folders = Folders.of({"DOORKEY_HOME": "~/own"})

    assert folders.data == home / "own"


def test_the_platforms_folders_keep_the_key_away_from_the_vault():
    folders = Folders.of({"DOORKEY_HOME": ""})

    assert folders.data != folders.config
    assert {folders.data.name, folders.config.name} == {"doorkey"}


def test_folders_are_made_for_their_owner_only(tmp_path):
    folders = Folders(data=tmp_path / "deep" / "data", config=tmp_path / "config").make()

    assert folders.data.stat().st_mode & 0o777 == 0o700
    assert folders.config.stat().st_mode & 0o777 == 0o700


def test_nothing_is_made_before_it_is_asked_for(tmp_path):
    Folders.of({"DOORKEY_HOME": str(tmp_path / "own")})

    assert not (tmp_path / "own").exists()


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageFull, match="cannot be made"):
        Folders(data=tmp_path / "file" / "data", config=Path(tmp_path)).make()
