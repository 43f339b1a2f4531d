"""What a provider's published terms say about one way to sign in, as read on a day."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """May a third-party app offer this method? CONTESTED and FORBIDDEN need a recorded consent."""

    ALLOWED = "allowed"
    CONTESTED = "contested"
    FORBIDDEN = "forbidden"


class Storage(StrEnum):
    """Where the tokens may be kept: anywhere of ours, or only on the person's own machine."""

    ANY = "any"
    LOCAL = "local"


class Use(StrEnum):
    """Who may use the access: any program of the person's, or only the app that was connected."""

    ANY = "any"
    APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A dated record; `note` is shown before the browser opens, `source` is the page that it was read on."""

    verdict: Verdict
    note: str
    source: str | None = None
    read_on: date | None = None
    storage: Storage = Storage.ANY
    use: Use = Use.ANY

    @property
    def needs_consent(self) -> bool:
        """Whether the person must have agreed once before signing in this way."""
        return self.verdict is not Verdict.ALLOWED


OWN = Policy(verdict=Verdict.ALLOWED, note="From your own config: you decide what its terms allow.")
