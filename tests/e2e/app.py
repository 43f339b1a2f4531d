"""The app as a person starts it: a process of its own over a home of its own."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2

from doorkey.adapters.instance import ask
from doorkey.sandbox.server import Running
from doorkey.testing.practice import SANDBOX, approve


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class App:
    """One app: `home` is its DOORKEY_HOME, `folder` where it is started; it keeps its port over a restart."""

    home: Path
    folder: Path
    practice_url: str
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, more: str = "") -> None:
        """Move the practice provider to its port for this test, and add to the config."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "config.toml").write_text(SANDBOX.format(url=self.practice_url) + more)

    def start(self) -> str:
        """Start it, and return the one-time address that it prints first."""
        arguments = [sys.executable, "-m", "doorkey", "open", "--no-browser", "--port", str(self.port)]
        self._process = subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def launch_url(self) -> str:
        """Have the running app make another one-time address, as a second start does."""
        address = ask(self.home)
        assert address
        return address

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it is gone."""
        if self._process:
            self._process.send_signal(how)
            self._process.communicate(timeout=30)
            self._process = None

    @contextmanager
    def client(self) -> Iterator[httpx2.Client]:
        """Let a program in by the same door: its cookie, and the key on every request."""
        address = urlsplit(self.launch_url())
        key = parse_qs(address.fragment)["key"][0]
        with httpx2.Client(base_url=self.url, headers={"Origin": self.url, "X-Doorkey-Key": key}) as client:
            client.get(f"/launch?{address.query}").raise_for_status()
            yield client

    def sign_in(self) -> None:
        """Sign Ada in at the practice provider, for tests whose subject is what comes after."""
        with self.client() as client:
            begun = client.post("/api/sign-ins", json={"provider": "sandbox", "method": "oauth"}).json()
            reply = {"text": approve(begun["url"])}
            client.post(f"/api/sign-ins/{begun['id']}/reply", json=reply).raise_for_status()


def refreshes(practice: Running) -> int:
    """Count the renewals that the practice provider has granted."""
    return practice.sandbox.log.count(action="refresh_token", outcome="ok")
