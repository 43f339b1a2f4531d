"""A file is whole or not there, whatever happens while it is written."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from doorkey.adapters.whole_file import write_whole
from doorkey.errors import StorageFull

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from doorkey.adapters.whole_file import write_whole


def reached(point):
    if point == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

write_whole(Path(sys.argv[1]), b"new", over=sys.argv[3] == "over", reached=reached)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "file"


@pytest.fixture(autouse=True)
def folder(path):
    path.parent.mkdir()
    return path.parent


def no_links(old, new):
    """Be a disk that knows one name for each file."""
    raise OSError(errno.EPERM, "Operation not permitted")


def test_it_is_there_for_its_owner_only_and_nothing_else_is(path, folder):
    write_whole(path, b"new", over=False)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("link", [os.link, no_links])
def test_a_file_that_is_there_is_not_touched(path, folder, link):
    path.write_bytes(b"old")

    with pytest.raises(FileExistsError):
        write_whole(path, b"new", over=False, link=link)

    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


def test_a_dangling_link_is_something_that_is_there(path, folder):
    path.symlink_to(folder / "elsewhere")

    with pytest.raises(FileExistsError):
        write_whole(path, b"new", over=False)

    assert not (folder / "elsewhere").exists()


def test_over_another_file_it_is_as_private_as_a_new_one(path):
    path.write_bytes(b"old")
    path.chmod(0o644)

    write_whole(path, b"new", over=True)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_over_a_link_it_takes_the_place_of_the_link(path, folder):
    (folder / "elsewhere").write_bytes(b"old")
    path.symlink_to(folder / "elsewhere")

    write_whole(path, b"new", over=True)

    assert (path.is_symlink(), path.read_bytes()) == (False, b"new")
    assert (folder / "elsewhere").read_bytes() == b"old"


def test_a_disk_without_second_names_gets_it_too(path, folder):
    write_whole(path, b"new", over=False, link=no_links)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(path):
    with pytest.raises(StorageFull, match=r"^file cannot be written: No such file or directory\.$"):
        write_whole(path.parent / "no" / "file", b"new", over=False)


def test_what_fails_half_way_leaves_nothing(path, folder):
    def full(point):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFull, match="No space left"):
        write_whole(path, b"new", over=False, reached=full)

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("point", "over", "before", "after"),
    [
        ("written", "new", None, None),
        ("named", "new", None, b"new"),
        ("written", "over", b"old", b"old"),
        ("named", "over", b"old", b"new"),
    ],
)
def test_killed_at_any_point_the_file_is_the_old_or_the_new(path, point, over, before, after):
    if before:
        path.write_bytes(before)

    ended = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), point, over], check=False)

    assert ended.returncode == -9
    assert (path.read_bytes() if path.exists() else None) == after
