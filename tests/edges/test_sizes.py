"""The check of sizes lets the longest allowed pass, and stops one line more."""

import pytest

from scripts.check_size import FILE_LINES, FUNCTION_LINES, main, too_long


@pytest.fixture
def module(tmp_path):
    return tmp_path / "module.py"


def a_function(lines: int) -> str:
    return "async def long():\n" + "    pass\n" * (lines - 1)


def test_the_longest_allowed_file_and_function_pass(module):
    module.write_text(a_function(FUNCTION_LINES) + "\n" * (FILE_LINES - FUNCTION_LINES))

    assert list(too_long(module)) == []


def test_one_line_more_in_a_function_is_told_with_its_place(module):
    module.write_text("\n" + a_function(FUNCTION_LINES + 1))

    assert list(too_long(module)) == [f"{module}:2: long has 61 lines, over 60"]


def test_one_line_more_in_a_file_is_told(module):
    module.write_text("\n" * (FILE_LINES + 1))

    assert list(too_long(module)) == [f"{module}: 401 lines, over 400"]


def test_a_folder_with_something_too_long_fails(module, capsys):
    module.write_text("\n" * (FILE_LINES + 1))

    code = main([str(module.parent)])

    assert code == 1
    assert "401 lines" in capsys.readouterr().out
