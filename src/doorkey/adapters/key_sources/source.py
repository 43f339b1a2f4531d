"""Somewhere a master key can be kept, and how one is written there."""

import base64
import binascii
from typing import Protocol

KEY_SIZE = 32


class KeySource(Protocol):
    """One place for the master key; `name` is recorded in the vault that it seals."""

    @property
    def name(self) -> str: ...

    @property
    def restore(self) -> str:
        """One sentence that tells the person how to bring a missing key back."""
        ...

    def read(self) -> bytes | None:
        """Return the key, or None when there is none here; raise KeyUnreadable when what is here is no key."""
        ...

    def create(self) -> bytes:
        """Make a new key here and return it, or the one that somebody made meanwhile; raise KeyUnreadable."""
        ...


def decode(text: str) -> bytes | None:
    """Read base64 of 32 bytes, also in its URL alphabet; None for anything else."""
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_SIZE else None


def encode(key: bytes) -> str:
    """Write a key as the one line of text that `decode` reads."""
    return base64.b64encode(key).decode()
