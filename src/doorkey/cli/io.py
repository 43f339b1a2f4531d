"""The terminal as a value: results go to stdout, everything for people to stderr, questions to whoever is there."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from io import StringIO
from typing import Protocol, TextIO

from doorkey.domain.foreign import is_tame, is_wild

WIDEST = 100


class Style(Enum):
    """The few colours that mean something."""

    GOOD = "32"
    WARN = "33"
    BAD = "31"
    DIM = "2"
    BOLD = "1"


class Prompter(Protocol):
    """Asks the person; raises EOFError when there is no answer to come."""

    def line(self, question: str) -> str: ...
    def hidden(self, question: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Io:
    """The streams of one command. `interactive`: a person sits there and can be asked."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    prompter: Prompter
    interactive: bool = False
    colour: bool = False
    width: int = 80

    @classmethod
    def of_process(cls) -> "Io":
        """Take the process's own streams; a stream that is closed is empty."""
        stdin, stdout, stderr = _stdin(), sys.stdout or StringIO(), sys.stderr or StringIO()
        painted = stdout.isatty() and stderr.isatty() and os.environ.get("TERM") != "dumb"
        return cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            prompter=TerminalPrompter(stdout, stderr),
            interactive=stdin.isatty() and stderr.isatty(),
            colour=painted and not os.environ.get("NO_COLOR"),
            width=min(shutil.get_terminal_size().columns, WIDEST),
        )

    def result(self, text: str) -> None:
        """Print one line of what was asked for."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Print a piece of what was asked for, at once."""
        self.stdout.write(text)
        self.stdout.flush()

    def json(self, value: Mapping[str, object]) -> None:
        """Print one JSON object on one line."""
        text = json.dumps(value, ensure_ascii=False)
        # A path may hold bytes that are no text: JSON can write those, and no stream can.
        self.result(text if is_tame(text) else json.dumps(value))

    def typed_hidden(self, question: str) -> str:
        """Ask a person without showing the answer, else take the first line of stdin; empty where nothing comes."""
        try:
            return self.prompter.hidden(question) if self.interactive else self.stdin.readline().rstrip("\n")
        except EOFError:
            return ""

    def say(self, text: str = "") -> None:
        """Tell the person something, broken between words where somebody reads it."""
        self.show("\n".join(map(self._wrapped, text.split("\n"))) if self.interactive else text)

    def show(self, text: str) -> None:
        """Show the person lines exactly as they are."""
        self.stderr.write(f"{text}\n")
        self.stderr.flush()

    def confirm(self, question: str) -> bool:
        """Ask for a yes; anything else, and no answer at all, is a no."""
        try:
            return self.prompter.line(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            self.say()
            return False

    def paint(self, text: str, style: Style) -> str:
        """Colour a text where there are colours."""
        return f"\x1b[{style.value}m{text}\x1b[0m" if self.colour else text

    def _wrapped(self, line: str) -> str:
        # An address is never broken: people copy it.
        return textwrap.fill(line, self.width, break_long_words=False, break_on_hyphens=False)


class TerminalPrompter:
    """Asks on the terminal; the question never gets into a result that is being captured."""

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self._stdout = stdout
        self._stderr = stderr

    def line(self, question: str) -> str:
        if self._stdout.isatty():
            import readline  # noqa: F401 - Its import gives `input` line editing.

            return input(question)
        self._stderr.write(question)
        self._stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            raise EOFError
        return answer.rstrip("\n")

    def hidden(self, question: str) -> str:
        from getpass import getpass

        return getpass(question, stream=self._stderr)


def printable(text: str) -> str:
    """Write wild characters as escapes: what a provider or a model sends must not drive the terminal."""
    return "".join(char if char in "\n\t" or not is_wild(char) else _escaped(char) for char in text)


def exact(text: str) -> str:
    """Write everything invisible as escapes too, so that what is approved is what is seen."""
    return "".join(char if char == "\n" or char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _stdin() -> TextIO:
    """Open stdin anew: a thread that waits on `sys.stdin` itself holds its lock and spoils the interpreter's end."""
    if sys.stdin is None:
        return StringIO()
    return open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)
