"""The words that people read: states, payers, times and tools."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from doorkey.service import dates

STATES: Mapping[str, str] = {
    "ready": "Ready",
    "lapsed": "Lapsed, renews by itself",
    "checking": "Checking",
    "sign_in_needed": "Sign-in needed",
    "over_limit": "Over limit",
    "key_unreadable": "Vault key unreadable",
    "blocked": "Blocked",
    "off": "Off",
}
TONES: Mapping[str, str] = {
    "ready": "good",
    "lapsed": "calm",
    "checking": "calm",
    "sign_in_needed": "bad",
    "over_limit": "warn",
    "key_unreadable": "bad",
    "blocked": "bad",
    "off": "calm",
}
PLANS: Mapping[str, str] = {"openai": "ChatGPT", "anthropic": "Claude", "github-copilot": "GitHub Copilot"}
TOOLS: Mapping[str, str] = {
    "list_files": "List files",
    "read_file": "Read a file",
    "search": "Search",
    "search_files": "Search",
    "write_file": "Write a file",
    "run_command": "Run a command",
}
ACTIONS: Mapping[str, str] = {
    "used": "Used",
    "renewed": "Renewed",
    "signed_in": "Signed in",
    "exported": "Exported",
    "restored": "Restored",
    "revoked": "Ended at the provider",
    "forgot": "Forgotten here",
}
SOURCES: Mapping[str, str] = {"codex": "Codex", "claude-code": "Claude Code"}
SURFACES: Mapping[str, str] = {"app": "This page", "cli": "Command line", "library": "Another program"}
# The arguments that say what a call acts on; the store keeps them in the order of the alphabet.
FIRST = {"path", "command"}
MARKS: Mapping[str, str] = {"+": "added", "-": "removed", "@": "place", "[": "note"}
# A name with a semicolon in it could pretend to be a sentence, so it warns.
PLAIN = re.compile(r"Writes [^;]+\.")
CONFINED = "Runs a command. Runs under bubblewrap: "


def payer(kind: str, provider: str, source: str = "managed") -> str:
    """Say who pays: `Using ChatGPT plan` (the words that OpenAI asks for), metered, or nobody."""
    if kind == "plan":
        return f"Using {PLANS.get(provider, provider.capitalize())} plan"
    if kind == "local":
        return "On this computer, free"
    return "From .env, metered" if source == "env" else "Metered"


def moment(text: str | datetime | None) -> datetime | None:
    """Read a time as our JSON writes it."""
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def ago(then: str | datetime | None, now: datetime) -> str:
    """Say how long ago, or how soon, something is: `3 minutes ago`, `in 2 days`."""
    at = moment(then)
    if at is None:
        return ""
    span = now - at
    amount = _amount(abs(span))
    if amount is None:
        return "just now" if span >= timedelta(0) else "in a moment"
    return f"{amount} ago" if span > timedelta(0) else f"in {amount}"


def _amount(span: timedelta) -> str | None:
    minutes = int(span.total_seconds() // 60)
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return None


def day(text: str | None) -> str:
    """Write a date as people do: `5 October 2026`."""
    at = moment(text)
    return dates.day(at) if at else ""


def tool(name: str) -> str:
    """Name a tool."""
    return TOOLS.get(name, name.replace("_", " ").capitalize())


def arguments(given: object) -> list[tuple[str, str]]:
    """Lay out a call's exact arguments, what it acts on first: a text as it is, anything else as JSON."""
    try:
        read = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        read = given
    if not isinstance(read, Mapping):
        return [("", str(given))]
    named = sorted(((str(name), value) for name, value in read.items()), key=lambda pair: pair[0] not in FIRST)
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in named]


def diff(text: str) -> list[tuple[str, str]]:
    """Tell the lines of a diff apart: `added`, `removed`, `place`, `same`, and a `note` in our own words."""
    lines = text.split("\n")
    # The first two name the file, which stands above.
    shown = lines[2:] if lines[0].startswith("--- ") else lines
    return [(MARKS.get(line[:1], "same"), line) for line in shown]


def caution(note: str | None) -> str | None:
    """Say how a call's note is shown: not at all where the arguments say the same, `quiet`, or else as a `warning`."""
    if note is None or PLAIN.fullmatch(note):
        return None
    return "quiet" if note.startswith(CONFINED) else "warning"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "action": lambda name: ACTIONS.get(name, name),
    "ago": ago,
    "arguments": arguments,
    "caution": caution,
    "clock": dates.clock,
    "day": day,
    "diff": diff,
    "payer": payer,
    "source": lambda name: SOURCES.get(name, name),
    "state": lambda name: STATES.get(name, name),
    "surface": lambda name: SURFACES.get(name, name),
    "tone": lambda name: TONES.get(name, "calm"),
    "tool": tool,
}
