"""What answers have used: tokens and no money, because a plan bills none and prices are not ours to guess."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from doorkey.domain.conversation import Served
from doorkey.domain.provider import Payer

Key = tuple[str, str, str, Payer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one account has used of one model; `account` is None for a key from the environment."""

    provider: str
    model: str
    method: str
    payer: Payer
    account: str | None
    label: str
    answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    @classmethod
    def of(cls, served: Served, tokens_in: int, tokens_out: int) -> "Usage":
        """Make the usage of one answer."""
        return cls(
            provider=served.provider,
            model=served.model,
            method=served.method,
            payer=served.payer,
            account=served.account,
            label=served.label,
            answers=1,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
        )

    @property
    def key(self) -> Key:
        """What is summed together: provider, account, model and payer."""
        return (self.provider, self.account or self.label, self.model, self.payer)

    def plus(self, other: "Usage") -> "Usage":
        """Add later usage of the same key, whose names are the newer ones."""
        return replace(
            other,
            answers=self.answers + other.answers,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
        )


def summed(uses: Iterable[Usage]) -> list[Usage]:
    """Sum usage, oldest first, by key; the most tokens come first."""
    found: dict[Key, Usage] = {}
    for use in uses:
        found[use.key] = found[use.key].plus(use) if use.key in found else use
    return sorted(found.values(), key=lambda each: (-each.tokens_in - each.tokens_out, each.key))
