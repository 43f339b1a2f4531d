"""Choosing a chat's folder on the page."""

import pytest

from doorkey.bootstrap.folders import ChatFolders
from doorkey.errors import FolderRefused


def test_a_folder_that_is_not_there_is_told_with_what_to_choose_instead(tmp_path):
    with pytest.raises(FolderRefused, match=r"there is nothing of that name\.$") as refused:
        ChatFolders([]).check(str(tmp_path / "nowhere"))

    assert refused.value.hint == "Choose the folder of one project, by its whole path."


def test_a_folder_is_used_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))

    assert ChatFolders([]).check("~/project") == str(tmp_path / "project")
