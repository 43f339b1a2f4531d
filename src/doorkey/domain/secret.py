"""A text that never shows itself: stars wherever it is printed, one word to read it."""

import hashlib
import hmac
from typing import NoReturn

STARS = "********"


class Secret:
    """Hold a token, key or code; only `reveal()` gives it out.

    repr, str and format print stars, so logs, error texts and tracebacks do too. It cannot be pickled, and JSON
    encoders refuse it. Comparison takes constant time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: the one word to grep for."""
        return self._text

    def digest(self) -> str:
        """Return the SHA-256 of the text in hex: enough to recognise it again, not to use it."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self.digest()))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret('{STARS}')"

    def __str__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def _bytes(self) -> bytes:
        # JSON and terminals can hand us half a surrogate pair, which strict UTF-8 refuses.
        return self._text.encode(errors="surrogatepass")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied out of the process")
