"""Command lines and the options that they come to, without anything being run."""

from pathlib import Path
from typing import Any

import pytest

from doorkey.cli import (
    accounts,
    audit,
    chat,
    doctor,
    export,
    import_,
    key,
    login,
    logout,
    models,
    open,
    providers,
    restore,
    sandbox,
    token,
    usage,
    use,
)
from doorkey.cli.main import COMMANDS, open_house, start
from doorkey.cli.shell import Shell
from tests.cli.terminal import Terminal

LINES = [
    ("", open.Options()),
    ("open", open.Options()),
    ("open --port 0 --no-browser", open.Options(port=0, no_browser=True)),
    ("login openai", login.Options(provider="openai")),
    ("login openai --method api-key --name work", login.Options(provider="openai", method="api-key", name="work")),
    ("login acme --paste --json", login.Options(provider="acme", paste=True, as_json=True)),
    ("login acme --device --no-browser", login.Options(provider="acme", device=True, no_browser=True)),
    ("login acme --account work", login.Options(provider="acme", account="work")),
    ("accounts", accounts.Options()),
    ("accounts --json", accounts.Options(as_json=True)),
    ("use work", use.Options(account="work")),
    ("token openai", token.Options(provider="openai")),
    ("token acme --account a --min-ttl 60", token.Options(provider="acme", account="a", min_ttl=60)),
    ("token acme --json", token.Options(provider="acme", as_json=True)),
    ("logout work --revoke", logout.Options("work", revoke=True)),
    ("providers --json", providers.Options(as_json=True)),
    ("models", models.Options()),
    ("models openai --json", models.Options("openai", as_json=True)),
    ("chat", chat.Options()),
    ("chat --model acme:m --account a hello", chat.Options(prompt="hello", model="acme:m", account="a")),
    ("import", import_.Options()),
    ("import codex --yes --json", import_.Options(source="codex", yes=True, as_json=True)),
    ("import env other.env", import_.Options(source="env", file=Path("other.env"))),
    ("export b.doorkey", export.Options(file=Path("b.doorkey"))),
    ("export b --account x --account y --force", export.Options(file=Path("b"), account=("x", "y"), force=True)),
    ("restore b --yes --json", restore.Options(file=Path("b"), yes=True, as_json=True)),
    ("restore b --replace --account x", restore.Options(file=Path("b"), account=("x",), replace=True)),
    ("key show", key.Options()),
    ("key use keyring --json", key.Options("keyring", as_json=True)),
    ("key rotate", key.Options()),
    ("key recover", key.Options("file")),
    ("key recover passphrase", key.Options("passphrase")),
    ("usage", usage.Options()),
    ("usage --days 7 --json", usage.Options(days=7, as_json=True)),
    ("audit", audit.Options()),
    ("audit --account work --limit 3 --json", audit.Options(account="work", limit=3, as_json=True)),
    ("sandbox --port 0", sandbox.Options(port=0)),
    ("doctor --json", doctor.Options(as_json=True)),
    ("doctor --all", doctor.Options(every=True)),
]

MISTAKES = [
    "login",
    "login acme --device --paste",
    "token",
    "token openai --min-ttl -1",
    "token openai --min-ttl 99999999999999",
    "open --port 70000",
    "chat --folder /nowhere/at/all hello",
    "export",
    "export /",
    "export b passphrase",
    "restore",
    "key",
    "key use",
    "key use somewhere",
    "key recover file 0000",
    "usage --days 0",
    "audit --limit 0",
    "acounts",
    "--nonsense",
]


class Recorder(Shell):
    """Keeps the options and runs nothing."""

    def __init__(self) -> None:
        super().__init__(Terminal(None).io, open_house)
        self.options: Any = None

    def run(self, run: Any, options: Any, **_: Any) -> int:
        self.options = options
        return 0

    def run_outside(self, run: Any, options: Any) -> int:
        return self.run(run, options)


@pytest.mark.parametrize(("line", "options"), LINES)
def test_a_command_line_comes_to_its_options(line, options):
    shell = Recorder()

    code = start(line.split(), shell)

    assert (code, shell.options) == (0, options)


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistaken_command_line_runs_nothing(line):
    shell = Recorder()

    code = start(line.split(), shell)

    assert (code, shell.options) == (2, None)


def test_every_command_has_a_line_here():
    assert {line.split()[0] for line, _ in LINES if line} == set(COMMANDS)


@pytest.mark.parametrize("command", ["token acme", "chat hello"])
def test_the_account_can_come_from_the_environment(command, monkeypatch):
    monkeypatch.setenv("DOORKEY_ACCOUNT", "work")
    shell = Recorder()

    start(command.split(), shell)

    assert shell.options.account == "work"


def test_an_argument_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("DOORKEY_ACCOUNT", "work")
    shell = Recorder()

    start(["token", "acme", "--account", "home"], shell)

    assert shell.options.account == "home"
