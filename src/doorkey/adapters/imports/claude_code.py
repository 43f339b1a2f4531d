"""The sign-in that Claude Code keeps: shown, because it is looked for, and never imported; its tokens stay unread."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from doorkey.adapters.imports import reading
from doorkey.domain.account import Identity
from doorkey.domain.finding import Finding, Taking

SHOWN = (
    "Never imported: Anthropic's terms keep it to Claude Code. What they allow is an API key (`doorkey login "
    "anthropic`) or a Console profile (`ant auth login`, then `doorkey import ant`)."
)


class ClaudeCodeFinds:
    """Fill `ports.Finds`. The Keychain item that Claude Code uses on macOS is not opened."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        named = environ.get("CLAUDE_CONFIG_DIR")
        self._path = (Path(named).expanduser() if named else Path.home() / ".claude") / ".credentials.json"
        self.place = str(self._path)

    def look(self) -> Sequence[Finding]:
        found = reading.read_object(self._path)
        return findings_in(found[0], self.place, found[1]) if found else []


def findings_in(body: Mapping[str, Any], file: str, warning: str | None) -> Sequence[Finding]:
    """Say that there is a sign-in, with its plan and its end."""
    login = reading.part(body, "claudeAiOauth")
    if not login:
        return []
    ends = login.get("expiresAt")
    in_seconds = ends / 1000 if isinstance(ends, int | float) and abs(ends) < 1e18 else None
    sign_in = Finding(
        source="claude-code",
        name="sign-in",
        file=file,
        taking=Taking.SHOW,
        meaning=SHOWN,
        provider="anthropic",
        method="claude",
        identity=Identity(plan=reading.label(login, "subscriptionType")),
        expires_at=reading.moment(in_seconds),
        warning=warning,
    )
    return [sign_in]
