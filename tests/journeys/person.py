"""A person with a browser, at the pages of the practice provider, and what they answer at a terminal."""

import json
import subprocess
from typing import Any

from doorkey.testing.practice import approve, bring_back
from tests.journeys.program import PATIENCE, Program, Ran

AGREE = "Do you agree, for this and later times?"


class Login:
    """A `doorkey login --json` that waits for its person."""

    def __init__(self, program: Program, *arguments: str, **environ: str) -> None:
        self.program = program
        self.process: subprocess.Popen[str] = program.start("login", *arguments, "--json", here=None, **environ)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=PATIENCE)
        self.begun: dict[str, Any] = json.loads(line)
        program.said.append(line)

    @property
    def url(self) -> str:
        return str(self.begun["url"])

    def end(self, stdin: str | None = None) -> Ran:
        return self.program.finish(self.process, stdin)

    def paste(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def read_error(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()


def sign_in(program: Program, *arguments: str, **choices: str) -> dict[str, Any]:
    """Sign in with the browser on this machine, and return the account as it was told."""
    login = Login(program, *arguments, "--no-browser")
    bring_back(approve(login.url, **choices))
    ended = login.end()
    assert ended.code == 0, ended
    account: dict[str, Any] = ended.events[-1]["account"]
    return account
