"""Try a provider with a real account: sign in, models, renewal, one small call, sign out; print what came of each."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doorkey import __version__
from doorkey.bootstrap import House, open_house
from doorkey.errors import DoorkeyError
from doorkey.service.resolve import Choice, Wish

PROMPT = "Answer with the one word: ok"


class Failed(Exception):
    """A step did not work; the message says why, in Doorkey's own words."""


@dataclass(kw_only=True)
class Check:
    """One run over an installation of its own; `seen` are the secrets that no report may hold."""

    home: Path
    provider: str
    method: str | None
    model: str | None
    no_browser: bool
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    account: dict[str, Any] = field(default_factory=dict)

    def run(self) -> bool:
        """Go through the steps; one that fails keeps none of the others back, and what was signed in is signed out."""
        works = self._try("sign in", self.sign_in)
        if works:
            works = all(
                [self._try("models", self.models), self._try("renewal", self.renew), self._try("call", self.call)]
            )
        return (not self.account or self._try("sign out", self.sign_out)) and works

    def sign_in(self) -> str:
        """Run `doorkey login`, show the person what to do, and keep what it tells of the account."""
        way = ["--method", self.method] if self.method else []
        browser = ["--no-browser"] if self.no_browser else []
        command = self._command("login", self.provider, *way, *browser, "--json")
        with subprocess.Popen(command, env=self._environment(), stdout=subprocess.PIPE, text=True) as login:
            for line in login.stdout or ():
                event = json.loads(line)
                self._show(event)
                self.account = event.get("account") or (event if "id" in event else self.account)
        if login.returncode or not self.account:
            raise Failed(f"doorkey login ended with {login.returncode}")
        told = [name for name in ("identity", "plan", "workspace", "expires_at") if self.account.get(name)]
        return f"{self.account['method']}, paid by: {self.account['payer']}; told: {', '.join(told) or 'nothing'}"

    def models(self) -> str:
        """List the models, and choose the first where none was named."""
        listed = json.loads(self._said("models", self.provider, "--json"))
        names = [str(name).partition(":")[2] for name in listed["models"]]
        self.model = self.model or names[0]
        return f"{len(names)} models, {len(listed['refused'])} refused with a reason"

    def renew(self) -> str:
        """Renew as after a refusal of the token; a key that lasts has nothing to renew."""
        with self._house() as (house, choice):
            source = house.services.sources.for_calls(choice)
            before = source.get()
            self.seen.add(before.reveal())
            if not (choice.account and choice.account.renews):
                return "not needed: it lasts"
            after = source.renew(before)
            self.seen.add(after.reveal())
        if after == before:
            raise Failed("the same token came back")
        return "a new token came"

    def call(self) -> str:
        """Ask for one word, with the token that the renewal gave."""
        began = time.monotonic()
        if self.model is None:
            raise Failed("there is no model to ask")
        answer = self._said("chat", "--model", f"{self.provider}:{self.model}", PROMPT)
        if not answer.strip():
            raise Failed("the answer is empty")
        return f"{self.model} answered {len(answer.strip())} characters in {time.monotonic() - began:.1f} s"

    def sign_out(self) -> str:
        """End the sign-in here and there; where the provider has no way to, that is told and is no failure."""
        ended = self._ran("logout", self.account["id"], "--revoke")
        self.account = {}
        return "ended at the provider" if ended.returncode == 0 else f"here only: {_reason(ended)}"

    def report(self) -> str:
        """Write what came of each step, fit to be kept; refuse to where a secret would stand in it."""
        head = f"{self.provider}, {datetime.now(UTC):%Y-%m-%d}, Doorkey {__version__}, {platform.system()}"
        table = [f"| {step} | {outcome} | {detail} |" for step, outcome, detail in self.rows]
        text = "\n".join([head, "", "| step | outcome | detail |", "|---|---|---|", *table])
        if any(secret and secret in text for secret in self.seen):
            raise SystemExit("The report would hold a secret, so it is not printed.")
        return text

    def _try(self, name: str, step: Callable[[], str]) -> bool:
        try:
            self.rows.append((name, "works", step()))
        except (Failed, DoorkeyError) as error:
            self.rows.append((name, "fails", f"{error}"))
            return False
        return True

    def _show(self, event: dict[str, Any]) -> None:
        if event.get("event") == "authorize":
            print(f"Open this address and approve:\n\n{event['url']}\n", flush=True)
        elif event.get("event") == "device_code":
            print(f"Open {event['verification_uri']} and type {event['user_code']}", flush=True)
        elif event.get("event") == "failed":
            print(f"It failed: {event['error']}. {event['hint']}", flush=True)

    @contextmanager
    def _house(self) -> Iterator[tuple[House, Choice]]:
        with open_house(environ=self._environment(), here=self.home) as house:
            yield house, house.services.resolver.choose(Wish(provider=self.provider, account=self.account["id"]))

    def _said(self, *arguments: str) -> str:
        ran = self._ran(*arguments)
        if ran.returncode:
            raise Failed(_reason(ran))
        return ran.stdout

    def _ran(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "doorkey", *arguments]

    def _environment(self) -> dict[str, str]:
        """Leave out every key of the surroundings: only what is signed in here may answer."""
        bare = {name: value for name, value in os.environ.items() if not _is_ours_or_a_key(name)}
        return bare | {"DOORKEY_HOME": str(self.home)}


def _is_ours_or_a_key(name: str) -> bool:
    return name.startswith("DOORKEY_") or name.endswith(("_API_KEY", "_TOKEN"))


def _reason(ran: "subprocess.CompletedProcess[str]") -> str:
    """Take the error that a command told, in one line."""
    lines = [line for line in ran.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    return " ".join(lines) or f"it ended with {ran.returncode}"


def main() -> int:
    """Check one provider in a fresh folder, print the report, and say by the exit code whether all of it works."""
    parser = argparse.ArgumentParser(description="Try a provider with an account of yours.")
    parser.add_argument("provider", metavar="PROVIDER")
    parser.add_argument("--method", metavar="METHOD", help="the way to sign in; the provider's first by default")
    parser.add_argument("--model", metavar="MODEL", help="the model to ask; the first of the list by default")
    parser.add_argument("--config", metavar="FILE", type=Path, help="a config.toml to go by")
    parser.add_argument("--no-browser", action="store_true", help="only print the address to open")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="doorkey-live-") as folder:
        home = Path(folder)
        if asked.config:
            shutil.copyfile(asked.config, home / "config.toml")
        check = Check(
            home=home, provider=asked.provider, method=asked.method, model=asked.model, no_browser=asked.no_browser
        )
        works = check.run()
        print(check.report())
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
