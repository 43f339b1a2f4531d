"""A bundle sealed under a passphrase: two lines in clear say how to open it, the rest is AES-256-GCM.

The first line is the magic and the version, the second a JSON object; both are authenticated with the rest. The key
comes from the passphrase by Argon2id (RFC 9106), whose cost stands in the second line, so that it can rise later.
"""

import json
import re
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_bytes
from typing import Any

from doorkey.domain.secret import Secret
from doorkey.errors import BundleRejected

VERSION = 1
KEY_SIZE = 32
SIZES = {"salt": 16, "nonce": 12, "check": 16}
LARGEST = 16 << 20  # Bytes; ten thousand accounts are less.
_HEAD = re.compile(rb"doorkey-bundle (\d{1,9})\n([^\n]{0,1000}\n)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one guess at the passphrase costs: memory in KiB, passes over it, and lanes that may run side by side."""

    memory: int
    passes: int
    lanes: int

    def affordable(self) -> bool:
        """Whether this is within what a file may ask of the computer that opens it."""
        pairs = ((self.memory, DEAREST.memory), (self.passes, DEAREST.passes), (self.lanes, DEAREST.lanes))
        return self.memory >= 8 * self.lanes and all(0 < asked <= most for asked, most in pairs)


# Twice the memory that RFC 9106 (section 4) recommends where memory is scarce: half a second or so.
COST = Cost(memory=128 << 10, passes=3, lanes=4)
DEAREST = Cost(memory=1 << 20, passes=8, lanes=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A file whose form is right and that nobody has opened yet; `check` tells a wrong passphrase from damage."""

    head: bytes
    cost: Cost
    salt: bytes
    nonce: bytes
    check: bytes
    body: bytes


def seal(plain: bytes, passphrase: Secret, cost: Cost = COST) -> bytes:
    """Seal what is packed; every call has a salt, and so a key, of its own."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = token_bytes(SIZES["salt"]), token_bytes(SIZES["nonce"])
    key, check = _derive(passphrase, salt, cost)
    told = {
        "memory_kib": cost.memory,
        "passes": cost.passes,
        "lanes": cost.lanes,
        "salt": b64encode(salt).decode(),
        "nonce": b64encode(nonce).decode(),
        "check": b64encode(check).decode(),
        "size": len(plain) + 16,  # GCM adds its tag.
    }
    head = b"doorkey-bundle %d\n%s\n" % (VERSION, json.dumps(told).encode())
    return head + AESGCM(key).encrypt(nonce, plain, head)


def read(content: bytes) -> Sealed:
    """Read the form of a file, before a passphrase is asked for; raises BundleRejected."""
    found = _HEAD.match(content)
    if found is None:
        raise BundleRejected("This is no file that `doorkey export` wrote.", hint="Name the file that it wrote.")
    if int(found[1]) > VERSION:
        raise BundleRejected("This file was written by a newer Doorkey.", hint="Update Doorkey here, then try again.")
    body = content[found.end() :]
    try:
        told = json.loads(found[2])
        cost = Cost(memory=_number(told["memory_kib"]), passes=_number(told["passes"]), lanes=_number(told["lanes"]))
        parts = {name: _bytes(told[name], size) for name, size in SIZES.items()}
        missing = _number(told["size"]) - len(body)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged() from error
    if not cost.affordable():
        raise BundleRejected("Opening this file would take more memory or time than one of ours.", hint=_ANEW)
    if missing > 0:
        raise BundleRejected("The file is cut short.", hint=_ANEW)
    return Sealed(head=found[0], cost=cost, body=body, **parts)


def unseal(sealed: Sealed, passphrase: Secret) -> bytes:
    """Open a file; raises BundleRejected."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, check = _derive(passphrase, sealed.salt, sealed.cost)
    if not compare_digest(check, sealed.check):
        raise BundleRejected("The passphrase is wrong.", hint="Try again; without it nobody can open the file.")
    try:
        return AESGCM(key).decrypt(sealed.nonce, sealed.body, sealed.head)
    except InvalidTag as error:
        raise _damaged() from error


_ANEW = "Copy the file again, or export it anew."


def _derive(passphrase: Secret, salt: bytes, cost: Cost) -> tuple[bytes, bytes]:
    """Return the key, and the check that recognises the passphrase and tells nothing of the key."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    length = KEY_SIZE + SIZES["check"]
    # The same letters are typed as other code points on another system.
    typed = unicodedata.normalize("NFKC", passphrase.reveal()).encode(errors="surrogatepass")
    try:
        argon = Argon2id(
            salt=salt, length=length, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory
        ).derive(typed)
    except MemoryError as error:
        raise BundleRejected(
            "There is not enough memory to use the passphrase.", hint="Close other programs."
        ) from error
    return argon[:KEY_SIZE], argon[KEY_SIZE:]


def _number(told: Any) -> int:
    if type(told) is not int:
        raise TypeError("A number was to be here.")
    return told


def _bytes(told: Any, size: int) -> bytes:
    decoded = b64decode(told, validate=True)
    if len(decoded) != size:
        raise ValueError("Something of another length was to be here.")
    return decoded


def _damaged() -> BundleRejected:
    return BundleRejected("The file is damaged.", hint=_ANEW)
