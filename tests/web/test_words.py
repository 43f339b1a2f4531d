"""The words on the page: what a call acts on comes first, and only what is special warns."""

import pytest

from doorkey.agent.confinement import detect
from doorkey.agent.docket import INTERRUPTED
from doorkey.agent.tools import needs_approval
from doorkey.web.words import arguments, caution


def test_what_a_call_acts_on_comes_first():
    laid_out = arguments('{"content":"Hello","overwrite":true,"path":"hello.txt"}')

    assert laid_out == [("path", "hello.txt"), ("content", "Hello"), ("overwrite", "true")]


def write(path):
    return needs_approval("write_file", {"path": path, "content": ""})


def run(confinement):
    return f"{needs_approval('run_command', {'command': 'ls'})} {confinement.sentence}"


def test_a_note_that_says_no_more_than_the_arguments_is_left_out():
    assert caution(write("src/hello.txt")) is None
    assert caution(None) is None


def test_a_command_that_is_confined_is_told_quietly(tmp_path):
    bubblewrap = tmp_path / "bwrap"
    bubblewrap.write_text("#!/bin/sh\n")
    bubblewrap.chmod(0o700)

    assert caution(run(detect({"PATH": str(tmp_path)}))) == "quiet"


@pytest.mark.parametrize(
    "note",
    [
        write("Makefile"),
        write("a; nothing to see."),
        needs_approval("read_file", {"path": ".env"}),
        run(detect({"PATH": ""})),
        INTERRUPTED,
        "a sentence of a later version",
    ],
)
def test_a_note_that_says_more_is_a_warning(note):
    assert caution(note) == "warning"
