"""The files that other programs would have written, with canaries for what must never be shown."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from doorkey.testing.contracts import finds

CANARY = finds.CANARY
AUTH = "https://api.openai.com/auth"
ADA = {"sub": "auth0|ada", "email": "ada@example.com"}
BOB = {"sub": "auth0|bob", "email": "bob@example.com"}


def jwt(claims: dict[str, Any]) -> str:
    """Make a token whose signature nobody could verify."""
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return f"{head}.{body}.{CANARY}"


def codex_login(who: dict[str, str] = ADA, *, lasts: timedelta = timedelta(days=9), word: str = "one") -> Any:
    """Make what Codex keeps of a ChatGPT sign-in."""
    account = {AUTH: {"chatgpt_account_id": "ws-1", "chatgpt_plan_type": "plus"}}
    ends = int((datetime.now(UTC) + lasts).timestamp())
    access = {"sub": who["sub"], "exp": ends, "word": f"{word}-{CANARY}"} | account
    return {
        "OPENAI_API_KEY": None,
        "tokens": {
            "id_token": jwt(who | account),
            "access_token": jwt(access),
            "refresh_token": f"refresh-{CANARY}",
            "account_id": "ws-1",
        },
        "last_refresh": "2026-11-20T08:00:00Z",
    }


def claude_login(*, lasts: timedelta = timedelta(hours=1)) -> Any:
    """Make what Claude Code keeps of a sign-in."""
    ends = int((datetime.now(UTC) + lasts).timestamp() * 1000)
    secrets = {"accessToken": f"sk-ant-oat01-{CANARY}", "refreshToken": f"sk-ant-ort01-{CANARY}"}
    return {"claudeAiOauth": secrets | {"expiresAt": ends, "scopes": ["user:inference"], "subscriptionType": "max"}}


def write(path: Path, content: object, *, mode: int = 0o600) -> Path:
    """Write a file as its program would, JSON or text."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def state_of(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Remember every file of a folder: its bytes, its mode, and when it was last written."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in files}
