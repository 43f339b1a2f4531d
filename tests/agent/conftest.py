"""A chosen folder with something beside it that must stay out of reach."""

from pathlib import Path

import pytest

from doorkey.agent.fence import Folder

CANARY = "canary-outside-the-folder"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    place = tmp_path / "outside"
    place.mkdir()
    (place / "secret.txt").write_text(CANARY)
    return place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


@pytest.fixture
def folder(root: Path) -> Folder:
    return Folder.open(root)
