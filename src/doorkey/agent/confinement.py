"""What a command may reach: little of the environment, and little of the computer where bubblewrap works.

Under bubblewrap the whole file system is read-only but for the chat's folder and a private /tmp; the command
has its own process table, so that it cannot read our environment or memory; sockets under /run (keyring,
containers, the system manager) and the places where programs keep logins are hidden. The network stays shared,
because installing and fetching is what commands are mostly for. Every program started ends with the command.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doorkey.agent.fence import Folder

PROBE_SECONDS = 10

_PASSED_ON = frozenset({"PATH", "HOME", "LANG", "TERM", "TZ", "USER", "LOGNAME", "SHELL", "TMPDIR"})

_LOGINS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".npmrc", ".pypirc", ".git-credentials"),
    *(".codex", ".claude", ".claude.json", ".config/gcloud", ".config/gh", ".config/anthropic"),
    *(".local/share/keyrings", ".password-store", ".mozilla", ".config/google-chrome", ".config/chromium"),
)

_HOUSE = (
    *("--die-with-parent", "--new-session", "--unshare-all", "--share-net", "--cap-drop", "ALL"),
    *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--setenv", "TMPDIR", "/tmp"),  # noqa: S108 — inside the sandbox
    *("--tmpfs", "/run"),
    # Name resolution, and the programs of NixOS, live below /run.
    *("--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"),
    *("--ro-bind-try", "/run/NetworkManager", "/run/NetworkManager"),
    *("--ro-bind-try", "/run/current-system", "/run/current-system"),
)


_CONFINED = (
    "Runs under bubblewrap: it can change only this folder, and cannot see Doorkey's files or the usual places of "
    "logins. It can read your other files and use the network."
)
_UNCONFINED = (
    "This command is not confined by Doorkey, because {why}: it can read and change whatever you can. "
    "Only its environment is cleared of credentials, and its time is limited."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """How commands run on this computer; `sentence` is what the approval card says about it."""

    environment: Mapping[str, str]
    program: str | None
    sentence: str
    why: str | None = None

    def wrap(self, folder: Folder, command: list[str]) -> list[str]:
        """Give the arguments that run `command`; they must be started with the folder as working directory."""
        if self.program is None:
            return command
        # bubblewrap resolves `.` before anything else: it binds the folder that we checked, whatever its name is now.
        house = [self.program, *_HOUSE, "--bind", ".", str(folder.path), *_hiding(folder), "--chdir", str(folder.path)]
        return [*house, "--", *command]


def detect(environment: Mapping[str, str]) -> Confinement:
    """Look for bubblewrap on the PATH of `environment` and try it once, which takes some milliseconds.

    Only the harmless part of the environment is kept.
    """
    kept = scrubbed(environment)
    program = shutil.which("bwrap", path=kept.get("PATH", os.defpath))
    if program is None:
        return _unconfined(kept, "bubblewrap is not installed")
    try:
        probe = [program, *_HOUSE, "--", "/bin/sh", "-c", ":"]
        subprocess.run(probe, check=True, capture_output=True, timeout=PROBE_SECONDS, env={})
    except (OSError, subprocess.SubprocessError):
        return _unconfined(kept, "bubblewrap is installed but cannot run here")
    return Confinement(environment=kept, program=program, sentence=_CONFINED)


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Pass on only what says who and where one is, never what opens a door."""
    return {name: value for name, value in environment.items() if name in _PASSED_ON or name.startswith("LC_")}


def _unconfined(environment: Mapping[str, str], why: str) -> Confinement:
    return Confinement(environment=environment, program=None, sentence=_UNCONFINED.format(why=why), why=why)


def _hiding(folder: Folder) -> list[str]:
    """Cover Doorkey's own places and other programs' logins, except around the folder that the person chose."""
    places = {(Path.home() / name).resolve() for name in _LOGINS} | set(folder.guarded)
    covered: list[str] = []
    for place in sorted(places):
        if place.is_dir() and not folder.path.is_relative_to(place):
            covered += ["--tmpfs", str(place)]
        elif place.is_file():
            covered += ["--ro-bind", "/dev/null", str(place)]
    return covered
