"""Directory rules: which account serves in a folder and in all that lie in it; the longest path counts (rule 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from doorkey.ports import Choices

_ONLY = "only "


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which account serves a provider in a folder; `only` that no other account may, not even one asked for."""

    provider: str
    folder: str
    account: str
    only: bool = False


class Rules:
    """The rules as the vault keeps them. Folders are true paths: absolute, and without links."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def all(self) -> Sequence[Rule]:
        """Return every rule, by provider and folder."""
        return [_read(name, value) for name, value in sorted(self._choices.starting("rule:").items())]

    def at(self, provider: str, folder: str) -> Rule | None:
        """Return the rule of the nearest folder that this one is, or lies in."""
        here = PurePath(folder)
        of_provider = self._choices.starting(f"rule:{provider}:").items()
        fitting = [rule for rule in (_read(*each) for each in of_provider) if here.is_relative_to(rule.folder)]
        return max(fitting, key=lambda rule: len(PurePath(rule.folder).parts), default=None)

    def set(self, rule: Rule) -> None:
        """Keep a rule, in place of the one that its folder had."""
        self._choices.set(_name(rule.provider, rule.folder), f"{_ONLY if rule.only else ''}{rule.account}")

    def remove(self, provider: str, folder: str) -> bool:
        """Drop the rule of exactly this folder; False where there is none."""
        name = _name(provider, folder)
        was_there = self._choices.get(name) is not None
        self._choices.remove(name)
        return was_there


def _name(provider: str, folder: str) -> str:
    return f"rule:{provider}:{folder}"


def _read(name: str, value: str) -> Rule:
    _, provider, folder = name.split(":", 2)
    return Rule(provider=provider, folder=folder, account=value.removeprefix(_ONLY), only=value.startswith(_ONLY))
