"""The recovery code: 128 random bits that open the vault when the source of its master key is gone."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from secrets import randbits

from doorkey.adapters.cipher.envelope import ID_SIZE, Key, key_id, seal, unseal
from doorkey.adapters.cipher.header import Header
from doorkey.adapters.key_sources.source import NewKey
from doorkey.adapters.store.columns import stamp
from doorkey.adapters.store.database import Database, Row
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable

# Crockford's base 32, without the letters that look like digits: 140 bits are seven groups of four.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011", " -\t")
_BITS, _CHECK_BITS, _LENGTH, _GROUP = 128, 12, 28, 4


def new_code() -> Secret:
    """Make a code, with a checksum that notices a slip of the pen."""
    number = randbits(_BITS)
    number = number << _CHECK_BITS | _checksum(number)
    letters = "".join(_LETTERS[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
    return Secret("-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP)))


def code_key(code: Secret, vault: str) -> Key:
    """Make the key of a code. Raises KeyUnreadable for what can be no code; small letters and blanks do not matter.

    The code is as random as a key, so that a plain hash is enough.
    """
    secret = hmac.digest(_number(code).to_bytes(_BITS // 8), f"doorkey recovery code|{vault}".encode(), hashlib.sha256)
    return Key(hmac.digest(secret, b"doorkey recovery code id", hashlib.sha256)[:ID_SIZE], secret)


def codes(database: Database) -> Sequence[Row]:
    """List the codes that open the vault, oldest first; there are two only while a new one is shown."""
    return database.rows("SELECT * FROM recovery_codes ORDER BY number")


def add_code(database: Database, header: Header, secret: bytes, code: Secret) -> int:
    """Let a code open the vault, and return its number; to be called inside a transaction."""
    key = code_key(code, header.lock.vault)
    for row in database.rows(
        "INSERT INTO recovery_codes (code_key, master, made_at) VALUES (?, ?, ?) RETURNING number",
        (*_wrapped(header.lock.vault, key, Key(header.lock.master, secret)), stamp(datetime.now(UTC))),
    ):
        return int(row["number"])
    raise AssertionError


def end_codes(database: Database, *, before: int) -> None:
    """Let older codes open nothing any more."""
    database.rows("DELETE FROM recovery_codes WHERE number < ?", (before,))


def open_with_code(database: Database, header: Header, code: Secret) -> bytes:
    """Return the master key. Raises KeyUnreadable for a code that is not this vault's."""
    key = code_key(code, header.lock.vault)
    for row in codes(database):
        if key_id(row["master"]) == key.id:
            return unseal(key, row["master"], _place(header.lock.vault, "master"))
    hint = "Only the newest code counts; if it is lost too, move vault.db away and sign in again."
    raise KeyUnreadable("This recovery code does not open this vault.", hint=hint)


def change_codes(database: Database, header: Header, secret: bytes, made: NewKey, master: bytes) -> None:
    """Lay a new master key under the same codes; to be called inside a transaction."""
    vault = header.lock.vault
    for row in codes(database):
        opened = unseal(Key(header.lock.master, secret), row["code_key"], _place(vault, "code"))
        key = Key(key_id(row["master"]), opened)
        wrapped = _wrapped(vault, key, Key(master, made.secret))
        change = "UPDATE recovery_codes SET code_key = ?, master = ? WHERE number = ?"
        database.rows(change, (*wrapped, row["number"]))


def _wrapped(vault: str, key: Key, master: Key) -> tuple[bytes, bytes]:
    """Wrap the code's key by the master key and the other way round."""
    return seal(master, key.secret, _place(vault, "code")), seal(key, master.secret, _place(vault, "master"))


def _number(code: Secret) -> int:
    """Read the letters of a code; whatever looks alike is the same."""
    letters = code.reveal().strip().upper().translate(_ALIKE)
    if len(letters) == _LENGTH and set(letters) <= set(_LETTERS):
        number = 0
        for letter in letters:
            number = number << 5 | _LETTERS.index(letter)
        number, check = number >> _CHECK_BITS, number & (1 << _CHECK_BITS) - 1
        if check == _checksum(number):
            return number
    hint = f"It has {_LENGTH} letters and digits in groups of {_GROUP}; compare each with what you wrote down."
    raise KeyUnreadable("This is no recovery code, or a letter of it is wrong.", hint=hint)


def _checksum(number: int) -> int:
    return int.from_bytes(hashlib.sha256(number.to_bytes(_BITS // 8)).digest()[:2]) >> 16 - _CHECK_BITS


def _place(vault: str, what: str) -> str:
    return f"doorkey recovery|{vault}|{what}"
