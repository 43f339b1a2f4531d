import os
from pathlib import Path

import pytest

from doorkey.agent import walk as walking
from doorkey.agent.fence import Folder
from doorkey.agent.walk import list_files, walk
from doorkey.errors import FolderRefused


def test_a_listing_is_sorted_and_says_what_each_thing_is(folder: Folder, root: Path, outside: Path):
    (root / "b.txt").write_text("hello")
    (root / "a").mkdir()
    (root / "a" / "c.txt").write_text("")
    (root / "link").symlink_to(outside)
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("ref")
    os.mkfifo(root / "pipe")

    listing = list_files(folder)

    assert listing.splitlines() == [
        ".git/ (not entered)",
        "a/",
        "a/c.txt (0 bytes)",
        "b.txt (5 bytes)",
        "link (link, not followed)",
        "pipe (special file)",
    ]


def test_a_listing_enters_a_noisy_folder_only_when_it_is_named(folder: Folder, root: Path):
    (root / "node_modules").mkdir()
    (root / "node_modules" / "x.js").write_text("")

    assert list_files(folder, "node_modules") == "node_modules/x.js (0 bytes)"


def test_a_listing_ends_at_its_depth(folder: Folder, root: Path):
    (root / "a" / "b" / "c").mkdir(parents=True)

    assert list_files(folder, depth=2) == "a/\na/b/"


def test_a_long_listing_is_cut_and_says_so(folder: Folder, root: Path):
    for number in range(walking.MAX_LISTED + 1):
        (root / f"{number:04}").touch()

    lines = list_files(folder).splitlines()

    assert len(lines) == walking.MAX_LISTED + 1
    assert lines[-1].startswith("[cut after 500 entries")


def test_an_empty_folder_is_said_to_be_empty(folder: Folder):
    assert list_files(folder) == "[nothing here]"


def test_listing_what_is_missing_is_refused(folder: Folder):
    with pytest.raises(FolderRefused):
        list_files(folder, "missing")


def test_a_file_name_cannot_forge_an_entry(folder: Folder, root: Path):
    (root / "a\nb.txt (9 bytes)").write_text("")

    assert list_files(folder) == r"a\nb.txt (9 bytes) (0 bytes)"


def test_a_folder_swapped_for_a_link_during_the_walk_is_not_entered(folder: Folder, root: Path, outside: Path):
    (root / "a").mkdir()
    (root / "z.txt").touch()
    entries = walk(folder, ())

    first = next(entries)
    (root / "a").rmdir()
    (root / "a").symlink_to(outside)
    rest = [entry.parts for entry in entries]

    assert first.parts == ("a",)
    assert rest == [("z.txt",)]


def test_a_listing_of_a_link_does_not_show_what_is_behind_it(folder: Folder, root: Path, outside: Path):
    (root / "link").symlink_to(outside)

    assert list_files(folder, "link") == "link (link, not followed)"
