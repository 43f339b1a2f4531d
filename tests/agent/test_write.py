import os
import resource
from pathlib import Path

import pytest

from doorkey.agent import write
from doorkey.agent.fence import Folder
from doorkey.agent.write import Written, preview, write_file
from doorkey.errors import FolderRefused


def test_a_new_file_is_made_with_the_folders_above_it(folder: Folder, root: Path):
    written = write_file(folder, "a/b/c.txt", "héllo")

    assert written == Written(path="a/b/c.txt", created=True, size=6)
    assert (root / "a" / "b" / "c.txt").read_text() == "héllo"


def test_a_replaced_file_keeps_its_permissions(folder: Folder, root: Path):
    (root / "run.sh").write_text("old")
    (root / "run.sh").chmod(0o751)

    written = write_file(folder, "run.sh", "new")

    assert not written.created
    assert (root / "run.sh").read_text() == "new"
    assert (root / "run.sh").stat().st_mode & 0o7777 == 0o751


def test_a_replaced_file_does_not_stay_setuid(folder: Folder, root: Path):
    (root / "tool").write_text("old")
    (root / "tool").chmod(0o4755)

    write_file(folder, "tool", "new")

    assert (root / "tool").stat().st_mode & 0o7777 == 0o755


def test_a_new_file_follows_the_umask(folder: Folder, root: Path):
    before = os.umask(0o027)
    try:
        write_file(folder, "a.txt", "")
    finally:
        os.umask(before)

    assert (root / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(folder: Folder, root: Path):
    (root / "a.txt").write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(FolderRefused, match="too large"):
            write_file(folder, "a.txt", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (root / "a.txt").read_text() == "old"
    assert list(root.iterdir()) == [root / "a.txt"]


def test_who_has_the_old_file_open_goes_on_reading_it(folder: Folder, root: Path):
    (root / "a.txt").write_text("old")

    with (root / "a.txt").open() as reader:
        write_file(folder, "a.txt", "new")
        seen = reader.read()

    assert seen == "old"


@pytest.mark.parametrize("act", [write_file, preview])
def test_nothing_is_written_through_a_link(folder: Folder, root: Path, outside: Path, act):
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "dangling.txt").symlink_to(outside / "new.txt")
    (root / "sub").symlink_to(outside)

    for path in ("link.txt", "dangling.txt", "sub/new.txt"):
        with pytest.raises(FolderRefused, match="link"):
            act(folder, path, "x")

    assert list(outside.iterdir()) == [outside / "secret.txt"]


def test_nothing_is_written_to_a_hard_link_a_pipe_or_a_folder(folder: Folder, root: Path, outside: Path):
    (root / "hard.txt").hardlink_to(outside / "secret.txt")
    os.mkfifo(root / "pipe")
    (root / "sub").mkdir()

    for path in ("hard.txt", "pipe", "sub", "new/", "."):
        with pytest.raises(FolderRefused):
            write_file(folder, path, "x")

    assert (outside / "secret.txt").read_text() != "x"


def test_a_draft_that_somebody_planted_is_not_written_through(folder: Folder, root: Path, outside: Path):
    (root / ".doorkey-draft-0").symlink_to(outside / "secret.txt")

    write_file(folder, "a.txt", "new")

    assert (root / "a.txt").read_text() == "new"
    assert (outside / "secret.txt").read_text() != "new"


def test_too_much_is_not_written(folder: Folder, root: Path):
    with pytest.raises(FolderRefused, match="are not written"):
        write_file(folder, "a.txt", "x" * (write.MAX_BYTES + 1))

    assert not list(root.iterdir())


def test_a_preview_is_a_diff_and_writes_nothing(folder: Folder, root: Path):
    (root / "a.txt").write_text("one\ntwo\n")

    diff = preview(folder, "a.txt", "one\nthree\n")

    assert diff.splitlines()[3:] == [" one", "-two", "+three"]
    assert (root / "a.txt").read_text() == "one\ntwo\n"


def test_a_preview_of_a_new_file_makes_no_folders(folder: Folder, root: Path):
    diff = preview(folder, "new/a.txt", "one\n")

    assert diff.splitlines()[3:] == ["+one"]
    assert not list(root.iterdir())


def test_a_preview_shows_what_a_reader_could_not_see(folder: Folder):
    assert r"+access = '\u202euser'" in preview(folder, "a.py", "access = '\u202euser'\n")


def test_a_preview_without_a_changed_line_tells_what_is_left(folder: Folder, root: Path):
    (root / "a.txt").write_text("one\n")

    assert preview(folder, "a.txt", "one\n") == "[changes nothing]"
    assert preview(folder, "a.txt", "one") == "[changes no line, but how the file is encoded or ends]"
    assert preview(folder, "new.txt", "") == "[makes an empty file]"


def test_a_long_preview_is_cut(folder: Folder):
    lines = preview(folder, "a.txt", "x\n" * 1000).splitlines()

    assert len(lines) == write.MAX_DIFF_LINES + 1
    assert lines[-1] == "[cut after 400 lines]"


def test_what_is_too_much_to_compare_is_counted(folder: Folder, root: Path):
    (root / "a.bin").write_bytes(b"\0")

    assert preview(folder, "a.txt", "x\n" * 6000) == "[replaces 0 lines by 6000, too many to compare]"
    assert preview(folder, "a.bin", "x") == "[replaces a.bin, which is binary or too big to compare]"
