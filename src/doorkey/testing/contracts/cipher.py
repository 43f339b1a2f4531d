"""What every cipher must do."""

import pytest

from doorkey.adapters.store.stores import KeyedCipher
from doorkey.errors import KeyUnreadable


class CipherContract:
    """Inherit, and give a `cipher` whose key is there."""

    @pytest.fixture
    def cipher(self) -> KeyedCipher:
        """Give a cipher."""
        raise NotImplementedError

    def test_what_was_sealed_opens_in_its_place(self, cipher: KeyedCipher) -> None:
        sealed = cipher.seal(b"a secret", "here")

        assert cipher.open(sealed, "here") == b"a secret"

    def test_what_was_sealed_opens_nowhere_else(self, cipher: KeyedCipher) -> None:
        sealed = cipher.seal(b"a secret", "here")

        with pytest.raises(KeyUnreadable):
            cipher.open(sealed, "there")

    def test_a_sealed_value_does_not_show_what_it_holds(self, cipher: KeyedCipher) -> None:
        first, second = cipher.seal(b"a secret", "here"), cipher.seal(b"a secret", "here")

        assert b"a secret" not in first
        assert first != second

    @pytest.mark.parametrize("position", [0, 1, 12, -1])
    def test_a_changed_value_does_not_open(self, cipher: KeyedCipher, position: int) -> None:
        sealed = bytearray(cipher.seal(b"a secret", "here"))
        sealed[position] ^= 1

        with pytest.raises(KeyUnreadable):
            cipher.open(bytes(sealed), "here")

    @pytest.mark.parametrize("sealed", [b"", b"\x01", b"plain text that nobody sealed"])
    def test_what_was_never_sealed_does_not_open(self, cipher: KeyedCipher, sealed: bytes) -> None:
        with pytest.raises(KeyUnreadable):
            cipher.open(sealed, "here")

    def test_a_key_that_is_there_passes_the_check(self, cipher: KeyedCipher) -> None:
        sealed = cipher.seal(b"a secret", "here")

        cipher.check()

        assert cipher.open(sealed, "here") == b"a secret"
