"""Another program whose sign-in an account reads: only that program signs in again, and it alone writes its files."""

from enum import StrEnum


class Owner(StrEnum):
    """The programs whose sign-ins can be read; an account's identity names its owner in place of an issuer."""

    ANT = "ant"
    CODEX = "codex"

    @property
    def label(self) -> str:
        """What people call it."""
        return "Codex" if self is Owner.CODEX else "ant"

    @property
    def renews_on_demand(self) -> bool:
        """Whether the vendor's own SDK renews the sign-in when we ask it to."""
        return self is Owner.ANT

    @property
    def hint(self) -> str:
        """Say what a person does where its sign-in has ended."""
        if self is Owner.CODEX:
            return "Open Codex to renew it, then try again."
        return "Run `ant auth login` (Anthropic's own tool), then try again."
