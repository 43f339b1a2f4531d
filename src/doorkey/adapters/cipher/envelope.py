"""A sealed value: version, the id of its key, nonce and ciphertext, by AES-256-GCM (NIST SP 800-38D)."""

from contextlib import suppress
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING

from doorkey.errors import KeyUnreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
ID_SIZE = 8
# Random, as there is no counter that several processes could share: good for 2**32 values under one key.
NONCE_SIZE = 12
_HEAD = len(VERSION) + ID_SIZE


@dataclass(frozen=True, slots=True)
class Key:
    """A 256-bit key with the id that its envelopes name."""

    id: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id.hex()})"


def seal(key: Key, plain: bytes, context: str) -> bytes:
    """Seal a value for one place; the context is authenticated, not kept."""
    nonce = token_bytes(NONCE_SIZE)
    return VERSION + key.id + nonce + _aes(key.secret).encrypt(nonce, plain, VERSION + context.encode())


def key_id(sealed: bytes) -> bytes:
    """Name the key that an envelope wants; raise KeyUnreadable for what is no envelope of a version that we know."""
    if not sealed.startswith(VERSION) or len(sealed) < _HEAD + NONCE_SIZE:
        raise KeyUnreadable("A sealed value is damaged, or was made by a newer Doorkey.", hint=_RESTORE)
    return sealed[len(VERSION) : _HEAD]


def unseal(key: Key, sealed: bytes, context: str, *former: str) -> bytes:
    """Open an envelope in the place that it was sealed for; raise KeyUnreadable.

    `former` are what an older version called the same place.
    """
    from cryptography.exceptions import InvalidTag

    nonce, ciphertext = sealed[_HEAD : _HEAD + NONCE_SIZE], sealed[_HEAD + NONCE_SIZE :]
    for place in (context, *former):
        with suppress(InvalidTag):
            return _aes(key.secret).decrypt(nonce, ciphertext, VERSION + place.encode())
    raise KeyUnreadable("A sealed value was changed, or moved from another place.", hint=_RESTORE)


_RESTORE = "Restore the vault from a backup, or sign in again."


def _aes(secret: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(secret)
