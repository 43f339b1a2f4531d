"""The recorded yeses: each asked for once, by name, and kept in the vault with its date."""

from doorkey.domain.account import Account
from doorkey.errors import ConsentNeeded
from doorkey.ports import Choices, Clock


class Consents:
    """Record and demand consents."""

    def __init__(self, choices: Choices, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock

    def given(self, name: str) -> bool:
        """Whether the person has agreed to this."""
        return self._choices.get(f"consent:{name}") is not None

    def record(self, name: str) -> None:
        """Keep the person's yes, with the time (UTC)."""
        self._choices.set(f"consent:{name}", self._clock.now().isoformat())

    def demand(self, name: str, message: str, hint: str) -> None:
        """Raise ConsentNeeded unless the person has agreed."""
        if not self.given(name):
            raise ConsentNeeded(message, consent=name, hint=hint)


def for_method(provider: str, method: str) -> str:
    """Name the consent to a contested or forbidden method."""
    return f"method:{provider}:{method}"


def for_env_file(path: str) -> str:
    """Name the consent to take keys from one `.env` file."""
    return f"env-file:{path}"


def for_payer(provider: str) -> str:
    """Name the consent to let a key pay where an account once served (rule 5)."""
    return f"env-key:{provider}"


def outside(account: Account) -> str:
    """Name the consent to hand an app-only access to other programs."""
    return f"outside:{account.provider}:{account.method}"
