"""A terminal made of buffers, with a person who has their answers ready."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any, TextIO

from doorkey.cli.io import Io
from doorkey.cli.main import start
from doorkey.cli.shell import House, Shell


@dataclass
class Person:
    """Fill `Prompter`: answers in order, and remembers what was asked; out of answers is the end of the input."""

    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def line(self, question: str) -> str:
        self.asked.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def hidden(self, question: str) -> str:
        return self.line(question)


class Terminal:
    """Runs command lines in a house and keeps what they said; with `answers` somebody sits there."""

    def __init__(
        self,
        house: Any,
        *answers: str,
        stdin: str | TextIO = "",
        stdout: StringIO | None = None,
        interactive: bool | None = None,
        person: Person | None = None,
    ) -> None:
        self.person = person or Person(list(answers))
        self._out, self._err = stdout or StringIO(), StringIO()
        self.io = Io(
            stdin=StringIO(stdin) if isinstance(stdin, str) else stdin,
            stdout=self._out,
            stderr=self._err,
            prompter=self.person,
            interactive=bool(self.person.answers) if interactive is None else interactive,
        )
        self._house = house

    def run(self, *arguments: str) -> int:
        return start(arguments, Shell(self.io, lambda: Visit(self._house)))

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()


@dataclass
class Visit:
    """Lends the house to a command and does not close it; an exception in its place is raised."""

    house: House | Exception

    def __enter__(self) -> House:
        if isinstance(self.house, Exception):
            raise self.house
        return self.house

    def __exit__(self, *_: object) -> None:
        pass
