"""The master key in the environment, for machines that get their secrets that way."""

from collections.abc import Callable, Mapping

from doorkey.adapters.key_sources.source import Lock, NewKey, decode, nobody
from doorkey.errors import KeyUnreadable

VARIABLE = "DOORKEY_KEY"
_FORM = f"Set {VARIABLE} to base64 of 32 random bytes (`openssl rand -base64 32` makes one), or unset it."


class EnvironmentKey:
    """Fill `KeySource` from DOORKEY_KEY; whoever sets it is the one who makes and removes the key."""

    name = "environment"
    protects = (
        f"A copy of the disk is not enough, as long as what sets {VARIABLE} is not on it. "
        "Programs that run as you can read it."
    )
    restore = f"Set {VARIABLE} to the key that this vault was made with, or unset it; nothing was overwritten."

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def read(self) -> bytes | None:
        text = self._environ.get(VARIABLE)
        if text is None:
            return None
        key = decode(text)
        if key is None:
            raise KeyUnreadable(f"{VARIABLE} is set, but holds no key.", hint=_FORM)
        return key

    def find(self, lock: Lock) -> bytes | None:
        return self.read()

    def create(self, vault: str) -> NewKey:
        key = self.read()
        if key is None:
            raise KeyUnreadable(f"{VARIABLE} is not set.", hint=_FORM)
        return NewKey(key)

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        """Leave it to whoever set it."""
