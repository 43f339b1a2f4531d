import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.adapters import surroundings
from doorkey.adapters.surroundings import EnvironmentKeys, parse


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def look(folder, names=("ACME_KEY",), *, environ=None, trusted=()):
    found = EnvironmentKeys(environ or {}, folder, lambda: trusted).find(names)
    return found and (found.name, found.secret.reveal(), found.where)


def test_the_environment_comes_first(folder):
    (folder / ".env").write_text("ACME_KEY=file")

    assert look(folder, environ={"ACME_KEY": "environment"}) == ("ACME_KEY", "environment", "environment")


def test_the_folders_file_comes_before_the_trusted_ones(folder):
    (folder / ".env").write_text("ACME_KEY=near")
    (folder / "far").write_text("ACME_KEY=far")

    assert look(folder, trusted=[folder / "far"]) == ("ACME_KEY", "near", str(folder / ".env"))


def test_trusted_files_come_in_their_order(folder):
    (folder / "one").write_text("OTHER=x")
    (folder / "two").write_text("ACME_KEY=two")
    (folder / "three").write_text("ACME_KEY=three")
    trusted = [folder / name for name in ("none", "one", "two", "three")]

    assert look(folder, trusted=trusted) == ("ACME_KEY", "two", str(folder / "two"))


def test_names_are_taken_in_the_asked_order(folder):
    environ = {"SECOND_KEY": "2", "FIRST_KEY": "1"}

    assert look(folder, ("FIRST_KEY", "SECOND_KEY"), environ=environ) == ("FIRST_KEY", "1", "environment")


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_value_counts_as_absent(folder, empty):
    (folder / ".env").write_text("ACME_KEY=file")

    assert look(folder, environ={"ACME_KEY": empty}) == ("ACME_KEY", "file", str(folder / ".env"))


def test_what_was_not_asked_for_is_not_found(folder):
    (folder / ".env").write_text("ACME_KEY=file")

    assert look(folder, ("OTHER_KEY",), environ={"ACME_KEY": "x"}) is None
    assert look(folder, (), environ={"ACME_KEY": "x"}) is None


@pytest.mark.parametrize("name", ["DOORKEY_KEY", "doorkey_home", "OPENAI_BASE_URL", "HTTPS_PROXY", "ACME_HOST"])
def test_no_setting_comes_from_a_file(folder, name):
    (folder / ".env").write_text(f"{name}=x")

    assert look(folder, (name,)) is None


def test_a_found_key_does_not_show_itself(folder):
    found = EnvironmentKeys({"ACME_KEY": "canary"}, folder, lambda: ()).find(["ACME_KEY"])

    assert "canary" not in repr(found)


def test_the_environment_is_not_changed(folder, monkeypatch):
    monkeypatch.delenv("ACME_KEY", raising=False)
    (folder / ".env").write_text("ACME_KEY=file")

    look(folder, environ=os.environ)

    assert "ACME_KEY" not in os.environ


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(folder):
    (folder / ".env").write_bytes(b"\xef\xbb\xbfACME_KEY=one\r\nOTHER=two\r\n")

    assert look(folder) == ("ACME_KEY", "one", str(folder / ".env"))


def test_a_file_that_is_too_large_is_not_read(folder):
    (folder / ".env").write_text("ACME_KEY=one\n" + "#" * surroundings.LONGEST_FILE)

    assert look(folder) is None


def test_a_pipe_or_a_folder_in_place_of_a_file_is_passed_over(folder):
    os.mkfifo(folder / ".env")
    (folder / "trusted").mkdir()

    assert look(folder, trusted=[folder / "trusted", Path("\0")]) is None


VALUES = {
    "KEY=plain": "plain",
    "  export KEY = spaced  ": "spaced",
    "KEY=": "",
    "KEY=value # a comment": "value",
    "KEY=#none": "",
    "KEY=with#hash": "with#hash",
    "KEY='single $HOME \\n # kept'": "single $HOME \\n # kept",
    'KEY="double \\"quoted\\" \\$HOME\\n"': 'double "quoted" $HOME\n',
    'KEY="quoted" # a comment': "quoted",
    "KEY=$OTHER": "$OTHER",
    "KEY=first\nKEY=last": "last",
    "OTHER='\nKEY=inside\n'\nKEY=outside": "outside",
    "KEY=a=b==": "a=b==",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_lines_are_read_as_shells_do_without_expanding(text, value):
    assert parse(text)["KEY"] == value


@pytest.mark.parametrize("text", ["# KEY=x", "KEY", "MY KEY=x", "1KEY=x", "=x", "KEY: x", "OTHER='\nKEY=inside\n'"])
def test_what_is_no_such_line_is_passed_over(text):
    assert "KEY" not in parse(text)


def test_an_open_quote_is_no_value():
    assert parse("KEY='open\nNEXT=1") == {"KEY": "", "NEXT": "1"}


@given(st.text())
def test_no_text_crashes_it(text):
    assert all(name.isidentifier() for name in parse(text))
