from pathlib import Path

import pytest

from doorkey.agent import search
from doorkey.agent.fence import Folder
from doorkey.agent.search import search_files
from doorkey.errors import FolderRefused


def test_each_match_has_its_path_and_line(folder: Folder, root: Path):
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("import os\n\nos.open\n")
    (root / "b.txt").write_text("no\n")

    assert search_files(folder, "os") == "src/a.py:1: import os\nsrc/a.py:3: os.open"


def test_a_pattern_is_plain_text_unless_said_otherwise(folder: Folder, root: Path):
    (root / "a.txt").write_text("a.c\nabc\n")

    assert search_files(folder, "a.c") == "a.txt:1: a.c"
    assert search_files(folder, "a.c", regex=True) == "a.txt:1: a.c\na.txt:2: abc"


def test_a_search_can_be_held_to_one_file(folder: Folder, root: Path):
    (root / "a.txt").write_text("x\n")
    (root / "b.txt").write_text("x\n")

    assert search_files(folder, "x", "b.txt") == "b.txt:1: x"


def test_secrets_links_and_noise_are_left_out_and_that_is_said(folder: Folder, root: Path, outside: Path):
    (root / ".env").write_text("KEY=canary")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("canary")
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "big.txt").write_bytes(b"canary" * search.MAX_FILE_BYTES)

    found = search_files(folder, "canary")

    assert found == (
        "[no match]\n"
        "[not searched: 1 link; not searched: 1 named .git; not searched: 1 that may hold secrets; "
        "not searched: 1 too big]"
    )


def test_a_guarded_file_is_not_searched_even_when_it_is_named(folder: Folder, root: Path):
    (root / ".env").write_text("KEY=canary")

    assert "KEY" not in search_files(folder, "canary", ".env")


def test_hard_links_and_binary_files_give_no_match(folder: Folder, root: Path, outside: Path):
    (root / "hard.txt").hardlink_to(outside / "secret.txt")
    (root / "a.bin").write_bytes(b"\0canary")

    assert search_files(folder, "canary") == "[no match]"


@pytest.mark.parametrize("regex", [False, True])
def test_many_matches_are_cut_and_that_is_said(folder: Folder, root: Path, *, regex: bool):
    (root / "a.txt").write_text("x\n" * (search.MAX_MATCHES + 5))

    lines = search_files(folder, "x", regex=regex).splitlines()

    assert len(lines) == search.MAX_MATCHES + 1
    assert lines[-1] == "[cut after 200 matches]"


def test_an_expression_finds_the_same_lines_in_several_files_as_plain_text(folder: Folder, root: Path):
    for name, content in {"a": "é\n\nneedle", "b": "", "c": "\n\n", "d": "needle\r\nx\fneedle\n"}.items():
        (root / name).write_bytes(content.encode())

    found = search_files(folder, "needle", regex=True)

    assert found == search_files(folder, "needle")
    assert [line.split(": ")[0] for line in found.split("\n")] == ["a:3", "d:1", "d:2"]


def test_a_search_ends_when_there_is_too_much_text(folder: Folder, root: Path):
    for number in range(search.MAX_TOTAL_BYTES // search.MAX_FILE_BYTES):
        (root / f"{number:02}").write_bytes(b"a" * search.MAX_FILE_BYTES)

    assert "[stopped early, there is too much: search a folder below]" in search_files(folder, "b")


def test_a_broken_regular_expression_is_refused_with_its_fault(folder: Folder):
    with pytest.raises(FolderRefused, match="unterminated"):
        search_files(folder, "(", regex=True)


@pytest.mark.slow
def test_a_regular_expression_without_end_is_stopped(folder: Folder, root: Path):
    (root / "a.txt").write_text("a" * 60 + "!")

    with pytest.raises(FolderRefused, match="longer than 5 s"):
        search_files(folder, "(a+)+$", regex=True)


@pytest.mark.parametrize("pattern", ["", "x" * 501, "a\0b"])
def test_a_pattern_has_bounds(folder: Folder, pattern: str):
    with pytest.raises(FolderRefused):
        search_files(folder, pattern)
