"""What other processes do to a vault at the same time; started anew by `test_processes`."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.sqlite import open_app, open_vault
from doorkey.domain.conversation import EventKind
from doorkey.domain.secret import Secret
from doorkey.testing.values import held, some_tokens


def open_here(folder: Path):
    return open_vault(folder / "data", [KeyFile(folder / "config")])


def first_run(folder: Path, number: int, start) -> None:
    """Open a vault that is not there yet, and keep an account in it."""
    start.wait()
    vault = open_here(folder)
    vault.accounts.save(held(some_tokens(str(number)), id=f"acc_{number}"), read=None)
    vault.close()
    open_app(folder / "data").close()


def renew(folder: Path, rounds: int, start) -> None:
    """Count an account's generation up, each time by whoever read it first."""
    vault = open_here(folder)
    start.wait()
    done = 0
    while done < rounds:
        mine = vault.accounts.load("acc_1")
        generation = mine.account.generation
        newer = replace(mine.account, generation=generation + 1)
        tokens = replace(mine.tokens, access=Secret(f"access-{generation + 1}"))
        done += vault.accounts.save(replace(mine, account=newer, tokens=tokens), read=generation)
    vault.close()


def lease(folder: Path, rounds: int, start) -> None:
    """Add to a number that only the lease protects."""
    vault = open_here(folder)
    start.wait()
    done = 0
    while done < rounds:
        taken = vault.leases.take("acc_1", timedelta(seconds=40))
        if taken is not None:
            value = int(vault.choices.get("count") or 0)
            vault.choices.set("count", str(value + 1))
            vault.leases.release(taken)
            done += 1
    vault.close()


def die_holding(folder: Path, start) -> None:
    """Take a lease and end without giving it back."""
    open_here(folder).leases.take("acc_1", timedelta(hours=1))
    start.wait()


def append(folder: Path, run: str, rounds: int, start) -> None:
    """Write events of one run."""
    app = open_app(folder / "data")
    start.wait()
    for _ in range(rounds):
        app.events.append(run, EventKind.TEXT, {"text": "x"})
    app.close()
