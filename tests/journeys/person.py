"""A person with a browser, at the pages of the practice provider, and what they answer at a terminal."""

import json
import subprocess
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.journeys.program import PATIENCE, Program, Ran

AGREE = "Do you agree, for this and later times?"
ADA, GRACE, ALAN = "practice-ada", "practice-grace", "practice-alan"


def approve(url: str, *, person: str = ADA, decision: str = "allow", plan_use: str = "on", workspace: str = "") -> str:
    """Choose a person, decide, and return the address that the browser is sent to."""
    parts = urlsplit(url)
    with httpx2.Client(base_url=f"{parts.scheme}://{parts.netloc}", timeout=PATIENCE) as http:
        path = http.get(url).headers["location"]
        http.post(path, data={"person": person})
        fields = {"plan_use": plan_use, "decision": decision, "workspace": workspace}
        return str(http.post(path, data=fields).headers["location"])


def bring_back(reply: str) -> httpx2.Response:
    """Let the browser follow the redirect to the waiting program."""
    return httpx2.get(reply, timeout=PATIENCE)


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
