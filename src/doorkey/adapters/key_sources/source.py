"""Somewhere a master key can be kept, how one is written there, and how a vault recognises its own."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

KEY_SIZE = 32
ID_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a vault tells of its master key, all of it in clear.

    `master` is a keyed hash of the vault's id: it recognises the key and tells nothing of it. `derivation` says how a
    passphrase becomes the key.
    """

    vault: str
    master: bytes
    derivation: str | None = None

    @classmethod
    def of(cls, vault: str, secret: bytes, derivation: str | None = None) -> "Lock":
        """Make the lock that a key fits."""
        master = hmac.digest(secret, f"doorkey master key|{vault}".encode(), hashlib.sha256)[:ID_SIZE]
        return cls(vault=vault, master=master, derivation=derivation)

    def fits(self, secret: bytes) -> bool:
        """Whether this is the master key that the vault was made with."""
        return hmac.compare_digest(self.master, Lock.of(self.vault, secret).master)


class NewKey(NamedTuple):
    """A master key that is kept in its source already, and read back there."""

    secret: bytes
    derivation: str | None = None


def nobody(_: bytes) -> bool:
    """Say that no other vault needs a key."""
    return False


class KeySource(Protocol):
    """One place for the master key; `name` is recorded in the vault that it seals.

    Every method raises KeyUnreadable when the place does not answer, or when what is in it is no key.
    """

    @property
    def name(self) -> str: ...

    @property
    def protects(self) -> str:
        """One sentence on what a key in this place protects from, and what not."""
        ...

    @property
    def restore(self) -> str:
        """One sentence that tells the person how to bring a missing key back."""
        ...

    def read(self) -> bytes | None:
        """Return the key that a new vault takes up unasked; None where there is none, or somebody must choose it."""
        ...

    def find(self, lock: Lock) -> bytes | None:
        """Return the key that fits, else another that is here in its place, else None."""
        ...

    def create(self, vault: str) -> NewKey:
        """Keep one more key here, beside those that are here already."""
        ...

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        """Remove the key that fits, where it is here and ours to remove, unless another vault needs the same one."""
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
