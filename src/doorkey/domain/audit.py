"""What is written down about the use of accounts: who did what with which, and never a secret."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Surface(StrEnum):
    """Through which of our doors somebody came."""

    APP = "app"
    CLI = "cli"
    LIBRARY = "library"


class Action(StrEnum):
    """What was done with an account. FORGOT is about this computer, REVOKED about the provider."""

    USED = "used"
    RENEWED = "renewed"
    SIGNED_IN = "signed_in"
    EXPORTED = "exported"
    RESTORED = "restored"
    REVOKED = "revoked"
    FORGOT = "forgot"


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose behalf a process acts; `detail` is the command, the chat or the program."""

    surface: Surface
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the audit; `account` is None for a key from the environment, which `label` then names."""

    at: datetime
    surface: Surface
    action: Action
    label: str
    provider: str
    method: str
    account: str | None = None
    detail: str | None = None
