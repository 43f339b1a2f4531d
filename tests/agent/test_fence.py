import os
import shutil
import socket
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.agent.fence import Folder, name_of, parts_of, shown
from doorkey.errors import FolderRefused

PATHS = st.text() | st.lists(st.sampled_from(["a", "b", ".", "..", "", "~", "\0", "é"])).map("/".join)


@given(PATHS)
def test_no_path_escapes(path: str):
    try:
        parts = parts_of(path)
    except FolderRefused:
        return

    assert os.path.normpath(PurePosixPath("/folder", *parts)) == str(PurePosixPath("/folder", *parts))
    assert all(name and "/" not in name and "\0" not in name for name in parts)


@pytest.mark.parametrize("path", ["..", "a/../b", "a/..", "/etc/passwd", "//etc", "a\0b", "\ud800", "x/" * 5000])
def test_a_path_that_could_lead_out_is_refused(path: str):
    with pytest.raises(FolderRefused):
        parts_of(path)


@pytest.mark.parametrize(("path", "parts"), [(".", ()), ("", ()), ("./a//b/", ("a", "b")), ("...", ("...",))])
def test_a_path_is_taken_apart_into_names(path: str, parts: tuple[str, ...]):
    assert parts_of(path) == parts


def test_a_name_cannot_forge_a_line_or_turn_the_text_around():
    assert shown("a\nb\x1b[2J\u202ecod.exe\udcff") == r"a\nb\x1b[2J\u202ecod.exe\udcff"


def test_the_folder_itself_is_called_by_a_dot():
    assert name_of(()) == "."


def read(folder: Folder, path: str) -> bytes:
    with folder.file(parts_of(path)) as stream:
        return stream.read()


def test_a_file_below_is_read(folder: Folder, root: Path):
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c.txt").write_text("hello")

    assert read(folder, "a/b/c.txt") == b"hello"


@pytest.mark.parametrize("level", ["a", "a/b", "a/b/secret.txt"])
def test_a_link_is_refused_at_every_level(folder: Folder, root: Path, outside: Path, level: str):
    (outside / "b").mkdir()
    for place in (outside, outside / "b"):
        (place / "secret.txt").write_text("canary")
    (root / level).parent.mkdir(parents=True, exist_ok=True)
    targets = {"a": outside, "a/b": outside / "b", "a/b/secret.txt": outside / "secret.txt"}
    (root / level).symlink_to(targets[level])

    with pytest.raises(FolderRefused, match="link"):
        read(folder, "a/b/secret.txt")


def test_a_link_that_stays_inside_is_refused_as_well(folder: Folder, root: Path):
    (root / "real.txt").write_text("x")
    (root / "link.txt").symlink_to("real.txt")

    with pytest.raises(FolderRefused, match="links are not followed"):
        read(folder, "link.txt")


def test_a_hard_link_is_refused(folder: Folder, root: Path, outside: Path):
    (root / "innocent.txt").hardlink_to(outside / "secret.txt")

    with pytest.raises(FolderRefused, match="hard link"):
        read(folder, "innocent.txt")


def test_a_pipe_is_refused_without_waiting_for_its_writer(folder: Folder, root: Path):
    os.mkfifo(root / "pipe")

    with pytest.raises(FolderRefused, match="not a regular file"):
        read(folder, "pipe")


def test_a_socket_is_refused(folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")

        with pytest.raises(FolderRefused, match="not a regular file"):
            read(folder, "s")


def test_a_folder_is_no_file(folder: Folder, root: Path):
    (root / "sub").mkdir()

    with pytest.raises(FolderRefused, match="not a regular file"):
        read(folder, "sub")


def test_what_is_missing_is_said_by_its_name(folder: Folder):
    with pytest.raises(FolderRefused, match=r"^no/such\.txt: there is nothing of that name$"):
        read(folder, "no/such.txt")


def test_looking_at_what_is_missing_gives_nothing(folder: Folder):
    assert folder.stat(("no", "such.txt")) is None


def test_a_folder_swapped_for_a_link_after_it_was_chosen_is_refused(folder: Folder, root: Path, outside: Path):
    root.rename(root.with_name("moved"))
    root.symlink_to(outside)

    with pytest.raises(FolderRefused):
        read(folder, "secret.txt")


def test_another_folder_in_the_place_of_the_chosen_one_is_refused(folder: Folder, root: Path, outside: Path):
    root.rename(root.with_name("moved"))
    outside.rename(root)

    with pytest.raises(FolderRefused, match="moved or replaced"):
        read(folder, "secret.txt")


def test_an_open_directory_stays_the_one_that_was_checked(folder: Folder, root: Path, outside: Path):
    (root / "sub").mkdir()

    with folder.directory(("sub",)) as here:
        (root / "sub").rename(root / "old")
        (root / "sub").symlink_to(outside)
        with os.scandir(here) as scan:
            names = [item.name for item in scan]

    assert names == []


def test_a_link_may_name_the_folder_that_is_chosen(root: Path, tmp_path: Path):
    (tmp_path / "shortcut").symlink_to(root)

    assert Folder.open(tmp_path / "shortcut").path == root.resolve()


@pytest.mark.parametrize("guarded", ["project", "project/doorkey", "project/a/b/vault.db", "."])
def test_a_folder_that_holds_or_lies_inside_a_guarded_place_is_refused(root: Path, tmp_path: Path, guarded: str):
    with pytest.raises(FolderRefused, match="Doorkey keeps"):
        Folder.open(root, guarded=[tmp_path / guarded])


def test_a_guarded_place_is_seen_through_a_link(root: Path, tmp_path: Path):
    (root / "doorkey").mkdir()
    (tmp_path / "home-of-doorkey").symlink_to(root / "doorkey")

    with pytest.raises(FolderRefused, match="Doorkey keeps"):
        Folder.open(root, guarded=[tmp_path / "home-of-doorkey"])


def test_a_sibling_of_a_guarded_place_is_fine(root: Path, tmp_path: Path):
    (tmp_path / "project-vault").mkdir()

    assert Folder.open(root, guarded=[tmp_path / "project-vault"]).path == root.resolve()


def test_a_guarded_place_that_is_moved_into_the_folder_stays_out_of_reach(root: Path, tmp_path: Path):
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "vault.db").write_text("canary")
    folder = Folder.open(root, guarded=[vault])
    shutil.move(vault, root / "vault")

    with pytest.raises(FolderRefused, match="Doorkey's own files"):
        read(folder, "vault/vault.db")


@pytest.mark.parametrize("place", ["/", "~", "~/.."])
def test_the_home_folder_and_those_above_it_are_refused(place: str):
    with pytest.raises(FolderRefused, match="not your home") as caught:
        Folder.open(place)

    assert "folder of one project" in caught.value.hint


def test_a_project_in_the_home_folder_is_fine(home: Path):
    (home / "project").mkdir()

    assert Folder.open("~/project").path == (home / "project").resolve()


@pytest.mark.parametrize("name", ["file", "missing", "file/below", "ring", "a\0b", "\ud800"])
def test_what_is_no_folder_cannot_be_chosen(root: Path, name: str):
    (root / "file").write_text("")
    (root / "ring").symlink_to("ring")

    with pytest.raises(FolderRefused):
        Folder.open(f"{root}/{name}")


def test_the_home_of_nobody_cannot_be_chosen():
    with pytest.raises(FolderRefused):
        Folder.open("~no-such-user/project")
