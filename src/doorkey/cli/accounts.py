"""`doorkey accounts`: every account, and how it stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from doorkey.cli.columns import away, columns, indented
from doorkey.cli.io import Io, Style, printable
from doorkey.cli.shell import House, Shell, selected

STYLES = {"ready": Style.GOOD, "lapsed": Style.GOOD, "checking": Style.WARN, "over_limit": Style.WARN, "off": Style.DIM}


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Renaming:
    """Which account is called how from now on."""

    account: str
    name: str


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Show every account and how it stands.

    A star marks the account that serves its provider when none is asked for.
    """
    shell: Shell = context.obj
    return shell.run(run, Options(**options)) if context.invoked_subcommand is None else 0


@command.command()
@click.argument("account")
@click.argument("name")
@click.pass_obj
def rename(shell: Shell, /, **options: Any) -> int:
    """Call ACCOUNT NAME from now on.

    ACCOUNT is a name, an e-mail address or an id. The name is yours alone: the provider does not see it.
    """
    return shell.run(run_rename, Renaming(**options))


def run_rename(options: Renaming, io: Io, house: House) -> None:
    """Give an account another name."""
    book = house.services.book
    account = book.find(options.account)
    book.rename(account, options.name)
    io.say(printable(f"{account.label} is called {options.name.strip()} from now on."))


def run(options: Options, io: Io, house: House) -> None:
    """List the accounts, then the keys that lie in the environment."""
    listed = selected(house)
    if options.as_json:
        io.json({"accounts": listed})
    elif listed:
        for line in table(listed, io, house.services.clock.now()):
            io.result(line)
    else:
        io.say("No accounts yet. `doorkey providers` shows where you can sign in, `doorkey login PROVIDER` does it.")


def table(listed: Sequence[Mapping[str, Any]], io: Io, now: datetime) -> Iterable[str]:
    """Draw two lines for each account: who and where and how it stands, then the rest."""
    heads = [
        (
            f"{'*' if entry['default'] else ' '} {printable(name(entry))}",
            f"{entry['provider']} · {entry['method']}",
            entry["state"].replace("_", " "),
        )
        for entry in listed
    ]
    for entry, (who, where, state) in zip(listed, columns(heads, io.width), strict=True):
        yield f"{who}  {where}  {io.paint(state.rstrip(), STYLES.get(entry['state'], Style.BAD))}"
        yield io.paint(indented(details(entry, now), io.width), Style.DIM)
        if todo := advice(entry):
            yield indented([f"→ {todo}"], io.width)


def name(entry: Mapping[str, Any]) -> str:
    """Say what a person calls an account, with who it is where both are known."""
    given, who = entry["name"], entry["identity"]
    return f"{given} ({who})" if given and who else given or who or f"{entry['provider']} {entry['method']}"


def details(entry: Mapping[str, Any], now: datetime) -> Iterable[str | None]:
    """Say who pays, when it ends, what proved it last, and the id."""
    proof, expires, until = entry["last_proof"], entry["expires_at"], entry["until"]
    yield payer(entry["payer"], entry["plan"])
    yield entry["workspace"] and printable(entry["workspace"])
    rule = entry["selected"] or ""
    yield f"serves here: {printable(rule)}" if rule.startswith(("rule ", "asked ")) else None
    yield f"opens {away(until, now)}" if until else None
    yield f"expires {away(expires, now)}" if expires else None
    yield f"proved {away(proof['at'], now)} by {proof['call']}" if proof else None
    yield entry["id"]


def payer(payer: str, plan: str | None) -> str:
    """Say who pays."""
    if payer == "plan":
        return f"{printable(plan)} plan pays" if plan else "plan pays"
    return {"metered": "billed by use", "local": "costs nothing"}.get(payer, payer)


def advice(entry: Mapping[str, Any]) -> str | None:
    """Say why an account does not serve and what to do about it."""
    todo = {
        "reconnect": f"`doorkey login {entry['provider']} --account {entry['id']}` signs it in again.",
        "restore_key": "Restore the key file or DOORKEY_KEY; `doorkey doctor` says more.",
        "agree": f"`doorkey chat` and `doorkey token {entry['provider']}` ask for your yes, once.",
        "fix_config": "Correct its entry in config.toml, or sign in again.",
        "restore_entry": "Bring it back into config.toml, or forget the account with `doorkey logout`.",
        "switch_on": f"Set enabled = true under [providers.{entry['provider']}.methods.{entry['method']}] there.",
    }.get(entry["action"] or "")
    return " ".join(part for part in (entry["reason"], todo) if part) or None
