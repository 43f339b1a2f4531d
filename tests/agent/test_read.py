from pathlib import Path

import pytest

from doorkey.agent import read
from doorkey.agent.fence import Folder
from doorkey.agent.read import read_file
from doorkey.errors import FolderRefused


def test_a_short_file_is_given_as_it_is(folder: Folder, root: Path):
    (root / "a.txt").write_text("one\ntwo\n")

    assert read_file(folder, "a.txt") == "one\ntwo"


def test_a_page_says_where_it_stands_and_how_to_go_on(folder: Folder, root: Path):
    (root / "a.txt").write_text("".join(f"{number}\n" for number in range(10)))

    assert read_file(folder, "a.txt", offset=2, limit=3) == "2\n3\n4\n[lines 3 to 5 of 10; read on with offset 5]"


def test_the_pages_of_a_file_make_up_the_file(folder: Folder, root: Path):
    (root / "a.txt").write_text("\n".join(map(str, range(7))))

    pages = [read_file(folder, "a.txt", offset=offset, limit=3).split("\n[")[0] for offset in (0, 3, 6)]

    assert "\n".join(pages) == (root / "a.txt").read_text()


def test_an_offset_beyond_the_end_tells_the_length(folder: Folder, root: Path):
    (root / "a.txt").write_text("one\n")

    assert read_file(folder, "a.txt", offset=5) == "[the file has 1 lines]"


def test_an_empty_file_is_said_to_be_empty(folder: Folder, root: Path):
    (root / "a.txt").touch()

    assert read_file(folder, "a.txt") == "[the file is empty]"


def test_a_binary_file_is_named_and_not_printed(folder: Folder, root: Path):
    (root / "a.png").write_bytes(b"\x89PNG\0\0canary")

    assert read_file(folder, "a.png") == "[a.png is a binary file]"


def test_bytes_that_are_not_utf8_are_replaced_and_that_is_said(folder: Folder, root: Path):
    (root / "latin.txt").write_bytes("café".encode("latin-1"))

    assert read_file(folder, "latin.txt") == "caf\ufffd\n[bytes that are not UTF-8 were replaced]"


def test_a_huge_file_is_read_up_to_the_bound_only(folder: Folder, root: Path):
    with (root / "huge.txt").open("wb") as file:
        file.write(b"start\n" * 2000)
        file.truncate(read.MAX_FILE_BYTES * 100)

    text = read_file(folder, "huge.txt", limit=1)

    assert text.startswith("start\n[only the first 16777216 bytes can be read;")


def test_a_long_line_is_cut_and_a_page_of_long_lines_ends_early(folder: Folder, root: Path):
    (root / "wide.txt").write_text("\n".join(["x" * 5000] * 100))

    text = read_file(folder, "wide.txt")

    assert "[… 3000 more characters]" in text
    assert len(text) < read.MAX_PAGE + 2 * read.MAX_LINE
    assert "read on with offset 30]" in text


def test_reading_the_folder_itself_is_refused(folder: Folder):
    with pytest.raises(FolderRefused):
        read_file(folder, ".")
