"""The console as a person starts it: real processes, each over one home, with a config that points to loopback."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from doorkey.bootstrap import House, open_house
from doorkey.domain.account import Held

PATIENCE = 60


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Program:
    """One installation: its home, its config, its environment; everything that it ever said is kept in `said`."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def configure(self, text: str) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.home / "config.toml").write_text(text)

    def run(self, *arguments: str, stdin: str = "", here: Path | None = None, **environ: str) -> Ran:
        return self.finish(self.start(*arguments, here=here, **environ), stdin)

    def python(self, script: str, **environ: str) -> Ran:
        """Run a script of another program over this installation."""
        return self.finish(self._popen([sys.executable, "-c", script], None, environ))

    def start(self, *arguments: str, here: Path | None = None, **environ: str) -> "subprocess.Popen[str]":
        return self._popen([sys.executable, "-m", "doorkey", *arguments], here, environ)

    def finish(self, process: "subprocess.Popen[str]", stdin: str | None = None) -> Ran:
        out, err = process.communicate(stdin, timeout=PATIENCE)
        self.said += [out, err]
        return Ran(process.returncode, out, err)

    @contextmanager
    def house(self) -> Iterator[House]:
        """Open the same vault in the test's own process, to look or to arrange."""
        with open_house(environ=self._environment({}), here=self.home) as house:
            yield house

    def agree(self, *consents: str) -> None:
        """Record what a person has agreed to."""
        with self.house() as house:
            for name in consents:
                house.services.consents.record(name)

    def accounts(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.run("accounts", "--json").json["accounts"]
        return listed

    def grow_old(self, *, before_its_end: timedelta) -> None:
        """Let every token here be an hour old, with this much left: no test waits for that."""
        now = datetime.now(UTC)
        with self.house() as house:
            for account in house.services.book.all():
                held = house.vault.accounts.load(account.id)
                ends = now + before_its_end
                older = replace(held.tokens, issued_at=now - timedelta(hours=1), expires_at=ends)
                moved = replace(account, expires_at=ends, generation=account.generation + 1)
                assert house.vault.accounts.save(Held(moved, older), read=account.generation)

    def at_terminal(
        self, *arguments: str, answers: Mapping[str, str | Callable[[str], str]], here: Path | None = None
    ) -> Ran:
        """Run with a person at the terminal, who answers each question in this order, perhaps by what is shown."""
        person, terminal = pty.openpty()
        shown = Screen(person)
        with subprocess.Popen(
            [sys.executable, "-m", "doorkey", *arguments],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            text=True,
            cwd=here or self.home,
            env=self._environment({}),
            start_new_session=True,  # Else a hidden question would go to the terminal of whoever runs the tests.
        ) as process:
            os.close(terminal)
            try:
                for question, answer in answers.items():
                    shown.wait_for(question)
                    told = answer if isinstance(answer, str) else answer(shown.text)
                    os.write(person, f"{told}\n".encode())
                out, _ = process.communicate(timeout=PATIENCE)
                shown.rest()
            finally:
                process.kill()
                os.close(person)
        self.said += [out, shown.text]
        return Ran(process.returncode, out, shown.text)

    def _popen(self, command: list[str], here: Path | None, environ: Mapping[str, str]) -> "subprocess.Popen[str]":
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=here or self.home,
            env=self._environment(environ),
        )

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        # `none`: no test opens a browser of the machine it runs on.
        return {**os.environ, "BROWSER": "none", **self.environ, "DOORKEY_HOME": str(self.home), **environ}


class Screen:
    """What a terminal has shown."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""

    def wait_for(self, wanted: str) -> None:
        seen = len(self.text)
        while wanted not in self.text[seen:]:
            assert self._more(PATIENCE), f"the terminal never showed {wanted!r}, but: {self.text}"

    def rest(self) -> None:
        while self._more(0):
            pass

    def _more(self, patience: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], patience)
        try:
            piece = os.read(self._descriptor, 4096) if ready else b""
        except OSError:  # Linux says so when the other end is closed.
            return False
        self.text += piece.decode(errors="replace")
        return bool(piece)
