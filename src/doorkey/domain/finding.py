"""What another program keeps on this computer, as it may be shown before anything is imported."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from doorkey.domain.account import Identity
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret

SOURCES = ("codex", "ant", "llm", "env", "claude-code")
"""Where is looked, in the order that it is shown."""


class Taking(StrEnum):
    """What importing means: a key is copied, a sign-in is read where it is, and some things are only shown."""

    COPY = "copy"
    READ = "read"
    SHOW = "show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One key or sign-in that was found, in the file that it lies in.

    `name` is what it is called there: a variable, the name of a key, or `sign-in`. A key that is copied becomes an
    account of the name `called`; `owner` is the program that goes on keeping what is read. `meaning` says in a sentence
    what importing would do, `warning` what is wrong with the file.
    """

    source: str
    name: str
    file: str
    taking: Taking
    meaning: str
    provider: str | None = None
    method: str | None = None
    called: str | None = None
    identity: Identity = field(default_factory=Identity)
    expires_at: datetime | None = None
    secret: Secret | None = None
    owner: Owner | None = None
    warning: str | None = None
