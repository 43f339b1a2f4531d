"""A source that is asked once in the life of a program: who types a passphrase types it once."""

from collections.abc import Callable

from doorkey.adapters.key_sources.source import KeySource, Lock, NewKey, nobody


class Remembered:
    """Fill `KeySource` with another one, and remember the keys that fitted; what did not fit is asked for again."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._known: dict[Lock, bytes] = {}

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def protects(self) -> str:
        return self._source.protects

    @property
    def restore(self) -> str:
        return self._source.restore

    def read(self) -> bytes | None:
        return self._source.read()

    def find(self, lock: Lock) -> bytes | None:
        if lock not in self._known:
            secret = self._source.find(lock)
            if secret is None or not lock.fits(secret):
                return secret
            self._known[lock] = secret
        return self._known[lock]

    def create(self, vault: str) -> NewKey:
        made = self._source.create(vault)
        self._known[Lock.of(vault, made.secret, made.derivation)] = made.secret
        return made

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        self._known.pop(lock, None)
        self._source.drop(lock, unless)
