"""The master key in the environment, for machines that get their secrets that way."""

from collections.abc import Mapping
from typing import NoReturn

from doorkey.adapters.key_sources.source import decode
from doorkey.errors import KeyUnreadable

VARIABLE = "DOORKEY_KEY"
_FORM = f"Set {VARIABLE} to base64 of 32 random bytes (`openssl rand -base64 32` makes one), or unset it."


class EnvironmentKey:
    """Fill `KeySource` from DOORKEY_KEY; whoever sets it is the one who makes the key."""

    name = "environment"
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

    def create(self) -> NoReturn:
        raise KeyUnreadable(f"{VARIABLE} is not set.", hint=_FORM)
