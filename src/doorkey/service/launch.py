"""One-time launch tokens: what turns a URL that we printed into a session of the page (rule 8)."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from doorkey.domain.secret import Secret
from doorkey.ports import Clock, Entropy

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Minted:
    key: Secret
    until: datetime


class LaunchGate:
    """Mint launch tokens and take each of them once.

    A token comes with the session's key, which travels in the URL's fragment and so never reaches a server's log.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lock = Lock()
        self._minted: dict[str, _Minted] = {}

    def mint(self) -> tuple[Secret, Secret]:
        """Return a new token and the key of the session that it opens."""
        token, key = (Secret(base64.urlsafe_b64encode(self._entropy.bytes(32)).decode().rstrip("=")) for _ in range(2))
        with self._lock:
            self._minted[token.digest()] = _Minted(key, self._clock.now() + LIFETIME)
        return token, key

    def redeem(self, token: str) -> Secret | None:
        """Take a token and return its session's key; None for one that was used, is too old or was never minted."""
        with self._lock:
            minted = self._minted.pop(Secret(token).digest(), None)
        return minted.key if minted and self._clock.now() < minted.until else None
