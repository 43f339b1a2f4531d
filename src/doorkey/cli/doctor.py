"""`doorkey doctor`: what works here and what does not, with one fix for each finding."""

import platform
import socket
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from doorkey.cli import failures
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell
from doorkey.errors import DoorkeyError
from doorkey.providers.sandbox import PORT

DATABASES = ("vault.db", "app.db")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `fix` says what to do where it is not well."""

    check: str
    text: str
    fix: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it is well."""
        return self.fix is None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(shell: Shell, /, **options: Any) -> int:
    """Check this installation.

    The exit code is 1 when something needs a hand; each finding comes with its fix.
    """
    return shell.run(run, Options(**options))


def run(options: Options, io: Io, house: House) -> int:
    """Look at everything and tell; no secret is read aloud and nothing is changed."""
    found = list(examine(house))
    if options.as_json:
        io.json({"findings": [asdict(finding) | {"ok": finding.ok} for finding in found]})
    else:
        for finding in found:
            mark = io.paint("ok", Style.GOOD) if finding.ok else io.paint("!!", Style.BAD)
            io.result(f"{mark}  {finding.check:9} {printable(finding.text)}")
            if finding.fix:
                io.result(f"              → {printable(finding.fix)}")
    return 0 if all(finding.ok for finding in found) else failures.FAILED


def examine(house: House) -> Iterator[Finding]:
    """Look at one thing after the other."""
    yield versions()
    yield from folders(house)
    yield from config(house)
    yield from key(house)
    yield databases(house)
    yield from accounts(house)
    yield from ports()


def versions() -> Finding:
    """Name what runs here."""
    from importlib.metadata import version

    python = platform.python_version()
    return Finding(check="version", text=f"Doorkey {version('doorkey')}, Python {python}, {platform.system()}")


def folders(house: House) -> Iterator[Finding]:
    """See that nobody else on this computer can look into the folders and the databases."""
    for check, folder in (("data", house.folders.data), ("config", house.folders.config)):
        for path in (folder, *(folder / name for name in DATABASES)):
            if path.exists() and (others := stat.S_IMODE(path.stat().st_mode) & 0o077):
                yield Finding(check=check, text=f"{path} is open to others ({others:03o})", fix=_close(path))
        yield Finding(check=check, text=str(folder))


def config(house: House) -> Iterator[Finding]:
    """Tell each mistake in config.toml with its line."""
    problems = house.services.catalog.problems()
    for problem in problems:
        yield Finding(check="config.toml", text=problem, fix="Correct the line; the rest of the file is in force.")
    if not problems:
        yield Finding(check="providers", text=", ".join(each.id for each in house.services.catalog.all()))


def key(house: House) -> Iterator[Finding]:
    """Say where the master key is, what that protects from, and whether it opens the vault."""
    facts = house.vault_keys.facts()
    if facts.problem:
        yield Finding(check="key", text=facts.problem, fix=facts.hint or "`doorkey key show` says where it should be.")
    else:
        yield Finding(check="key", text=f"{facts.source}: {facts.protects}" if facts.source else facts.protects)
    if facts.rotating:
        yield Finding(check="key", text="a rotation was broken off", fix="doorkey key rotate")
    if facts.left_behind:
        text = f"the former key is still in the {facts.left_behind}"
        yield Finding(check="key", text=text, fix=f"doorkey key use {facts.source}")


def databases(house: House) -> Finding:
    """Read from both databases."""
    try:
        house.services.book.all()
        chats = len(house.stores.conversations.all())
    except DoorkeyError as error:
        return Finding(check="databases", text=str(error), fix=error.hint)
    return Finding(check="databases", text=f"both can be read; {chats} chats")


def accounts(house: House) -> Iterator[Finding]:
    """Count the accounts by their state, and name each that needs somebody."""
    listed = house.services.listing.accounts()
    states = Counter(str(entry["state"]).replace("_", " ") for entry in listed)
    yield Finding(check="accounts", text=", ".join(f"{count} {state}" for state, count in states.items()) or "none yet")
    for entry in listed:
        if entry["action"] in {"reconnect", "fix_config"}:
            who = f"{entry['provider']} {entry['name'] or entry['identity'] or entry['id']}"
            why = entry["reason"] or str(entry["state"]).replace("_", " ")
            fix = f"doorkey login {entry['provider']} --account {entry['id']}"
            yield Finding(check="accounts", text=f"{who}: {why}", fix=fix)


def ports() -> Iterator[Finding]:
    """Say whether our usual ports are held; either may be held by Doorkey itself, so neither is a fault."""
    from doorkey.adapters.serving import DEFAULT_PORT

    for check, port in (("app", DEFAULT_PORT), ("sandbox", PORT)):
        with socket.socket() as probe:
            probe.settimeout(1)
            held = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Finding(check=check, text=f"port {port} is {'in use' if held else 'free'}")


def _close(path: Path) -> str:
    return f"chmod {'700' if path.is_dir() else '600'} {path}"
