"""The words on the page: what a call acts on comes first, and only what is special warns."""

from datetime import UTC, datetime

import pytest

from doorkey.agent.confinement import detect
from doorkey.agent.docket import INTERRUPTED
from doorkey.agent.tools import needs_approval
from doorkey.web.words import arguments, calm, clock


def test_what_a_call_acts_on_comes_first():
    laid_out = arguments('{"content":"Hello","overwrite":true,"path":"hello.txt"}')

    assert laid_out == [("path", "hello.txt"), ("content", "Hello"), ("overwrite", "true")]


def write(path):
    return needs_approval("write_file", {"path": path, "content": ""})


def test_a_note_that_only_says_what_a_call_does_is_calm():
    assert calm(write("src/hello.txt"))


@pytest.mark.parametrize(
    "note",
    [
        write("Makefile"),
        write("a; nothing to see."),
        needs_approval("read_file", {"path": ".env"}),
        f"{needs_approval('run_command', {'command': 'ls'})} {detect({'PATH': ''}).sentence}",
        INTERRUPTED,
        "a sentence of a later version",
        None,
    ],
)
def test_a_note_that_says_more_is_not_calm(note):
    assert not calm(note)


def test_a_clock_shows_this_computers_time():
    here = datetime(2030, 1, 2, 9, 5).astimezone()

    assert clock(here.astimezone(UTC)) == "2 January, 09:05"
