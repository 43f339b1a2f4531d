"""What `doorkey doctor` looks at: small checks, each telling what it found, and one fix where that is not well."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from doorkey.errors import DoorkeyError
from doorkey.ports import Catalog, KeyFacts
from doorkey.service.listing import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `fix` says what to do. `ok` is whether all is well, perhaps with room for more."""

    check: str
    text: str
    ok: bool = True
    fix: str | None = None


# The states in which an account serves, and the actions that nothing is wrong with.
SERVING = frozenset({"ready", "lapsed", "checking"})
WAITING = frozenset({"wait", "switch_on", "agree"})

Check = Callable[[], Iterable[Finding]]


def fault(check: str, text: str, fix: str) -> Finding:
    """Tell what is not well."""
    return Finding(check=check, text=text, ok=False, fix=fix)


class Checkup:
    """Runs one check after the other; one that fails itself is a finding too, and the others go on."""

    def __init__(self, checks: Sequence[tuple[str, Check]]) -> None:
        self._checks = checks

    def findings(self) -> Iterator[Finding]:
        """Look at everything; nothing is changed and no secret is read aloud."""
        for name, check in self._checks:
            try:
                yield from check()
            except DoorkeyError as error:
                yield fault(name, str(error), error.hint)
            except OSError as error:
                yield fault(name, f"could not be looked at: {error.strerror}", "Make its files and folders your own.")


def config(catalog: Catalog) -> Iterator[Finding]:
    """Tell each mistake in config.toml with its line."""
    problems = catalog.problems()
    for problem in problems:
        yield fault("config.toml", problem, "Correct the line.")
    if not problems:
        yield Finding(check="providers", text=", ".join(each.id for each in catalog.all()))


def key(facts: KeyFacts) -> Iterator[Finding]:
    """Say where the master key is, what that protects from, and whether it opens the vault."""
    if facts.problem:
        yield fault("key", facts.problem, facts.hint or "`doorkey key show` says where it should be.")
    else:
        yield Finding(check="key", text=f"{facts.source}: {facts.protects}" if facts.source else facts.protects)
    if facts.rotating:
        yield fault("key", "a rotation was broken off", "doorkey key rotate")
    if facts.left_behind:
        yield fault(
            "key", f"the former key is still in the {facts.left_behind}", f"doorkey key use {facts.source or 'file'}"
        )


def accounts(listed: Sequence[Json]) -> Iterator[Finding]:
    """Count the accounts by their state, and name each that needs somebody."""
    states = Counter(_state(entry) for entry in listed)
    yield Finding(check="accounts", text=", ".join(f"{count} {state}" for state, count in states.items()) or "none yet")
    for entry in listed:
        yield from _account(entry)


def _account(entry: Json) -> Iterator[Finding]:
    """Tell what an account needs; one that still serves, or only waits, is no fault."""
    remedy = _remedy(entry)
    if remedy is None:
        return
    who = f"{entry['provider']} {entry['name'] or entry['identity'] or entry['id']}"
    until = f" until {entry['until']}" if entry["until"] else ""
    text = f"{who}: {entry['reason'] or _state(entry)}{until}"
    serves = entry["state"] in SERVING or entry["action"] in WAITING
    yield Finding(check="accounts", text=text, ok=serves, fix=remedy)


def _remedy(entry: Json) -> str | None:
    """Say the one thing to do; None where there is nothing, or the key's own finding says it."""
    again = f"doorkey login {entry['provider']} --account {entry['id']}"
    return {
        "reconnect": again,
        "open_owner": "Sign in again in the program that keeps this sign-in.",
        "fix_config": f"Correct its entry in config.toml, or sign in again: {again}",
        "restore_entry": f"Bring it back into config.toml, or forget the account: doorkey logout {entry['id']}",
        "wait": "Wait, or use another account.",
        "switch_on": "Set enabled = true for its method in config.toml.",
        "agree": f"doorkey token {entry['provider']}",
    }.get(entry["action"] or "")


def _state(entry: Json) -> str:
    return str(entry["state"]).replace("_", " ")
