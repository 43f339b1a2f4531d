"""Values to test with: whole and plausible, each part replaceable by name."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from doorkey.domain.account import Account, Held, Identity, Origins
from doorkey.domain.approval import Approval, canonical, fingerprint
from doorkey.domain.attempt import Attempt, Device
from doorkey.domain.audit import Action, Entry, Surface
from doorkey.domain.conversation import Conversation, Run
from doorkey.domain.provider import Payer
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

_numbers = count(1)


def some_tokens(word: str = "one", **changes: Any) -> Tokens:
    """Make an access and a refresh token that hold `word` and last an hour from NOON."""
    fields: dict[str, Any] = {
        "access": Secret(f"access-{word}"),
        "refresh": Secret(f"refresh-{word}"),
        "issued_at": NOON,
        "expires_at": NOON + HOUR,
    }
    return Tokens(**(fields | changes))


def an_identity(**changes: Any) -> Identity:
    """Make somebody who signed in with a plan."""
    fields = {
        "issuer": "https://issuer.example",
        "client_id": "client-1",
        "subject": "subject-1",
        "workspace": "workspace-1",
        "email": "ada@example.com",
        "plan": "plus",
    }
    return Identity(**(fields | changes))


def an_account(**changes: Any) -> Account:
    """Make an account with an id and an identity of its own."""
    account = changes.get("id", f"acc_{next(_numbers)}")
    fields: dict[str, Any] = {
        "id": account,
        "provider": "acme",
        "method": "oauth",
        "identity": an_identity(subject=f"subject-of-{account}"),
        "origins": Origins(api="https://api.example:443", token="https://issuer.example:443"),
        "payer": Payer.PLAN,
        "created_at": NOON,
        "renews": True,
        "expires_at": NOON + HOUR,
    }
    return Account(**(fields | changes))


def held(tokens: Tokens | None = None, **changes: Any) -> Held:
    """Make an account with its tokens."""
    return Held(an_account(**changes), tokens or some_tokens())


def an_attempt(**changes: Any) -> Attempt:
    """Make a sign-in that waits for its callback, for ten minutes from NOON."""
    fields: dict[str, Any] = {
        "id": f"sgn_{next(_numbers)}",
        "provider": "acme",
        "method": "oauth",
        "redirect": "http://127.0.0.1:4000/callback",
        "state": Secret("state-value"),
        "verifier": Secret("verifier-value"),
        "nonce": Secret("nonce-value"),
        "client_id": "client-1",
        "created_at": NOON,
        "expires_at": NOON + timedelta(minutes=10),
    }
    return Attempt(**(fields | changes))


def a_device(**changes: Any) -> Device:
    """Make what a server gave for a sign-in on another device."""
    fields: dict[str, Any] = {
        "code": Secret("device-code-value"),
        "user_code": "BCDF-GHJK",
        "verification_uri": "https://issuer.example/device",
        "verification_uri_complete": "https://issuer.example/device?user_code=BCDF-GHJK",
    }
    return Device(**(fields | changes))


def an_entry(**changes: Any) -> Entry:
    """Make a line of the audit."""
    fields: dict[str, Any] = {
        "at": NOON,
        "surface": Surface.CLI,
        "action": Action.USED,
        "label": "ada@example.com",
        "provider": "acme",
        "method": "oauth",
        "account": "acc_1",
        "detail": "doorkey token",
    }
    return Entry(**(fields | changes))


def a_conversation(**changes: Any) -> Conversation:
    """Make a chat that nothing was said in yet."""
    fields: dict[str, Any] = {
        "id": f"cht_{next(_numbers)}",
        "title": "Chat",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Conversation(**(fields | changes))


def a_run(conversation: str, **changes: Any) -> Run:
    """Make an answer that has just begun."""
    fields: dict[str, Any] = {
        "id": f"run_{next(_numbers)}",
        "conversation": conversation,
        "prompt": "Hello",
        "started_at": NOON,
    }
    return Run(**(fields | changes))


def an_approval(run: Run, **changes: Any) -> Approval:
    """Make a question about one tool call of a run."""
    number = next(_numbers)
    arguments = {"path": "notes.txt"}
    fields: dict[str, Any] = {
        "id": f"apr_{number}",
        "run": run.id,
        "conversation": run.conversation,
        "call_id": f"call_{number}",
        "tool": "read_file",
        "arguments": canonical(arguments),
        "fingerprint": fingerprint("read_file", arguments),
        "scope": "read_file notes.txt",
        "asked_at": NOON,
    }
    return Approval(**(fields | changes))
