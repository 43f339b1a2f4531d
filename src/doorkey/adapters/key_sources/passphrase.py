"""The master key made of a passphrase by Argon2id (RFC 9106); only how it is made is kept, beside the vault."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from secrets import token_bytes

from doorkey.adapters.key_sources.source import KEY_SIZE, Lock, NewKey, nobody
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, PassphraseNeeded
from doorkey.ports import Passphrases

SHORTEST = 12
_SALT_SIZE = 16
_DAMAGED = "Restore the vault from a backup, or open it with `doorkey key recover`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2:
    """The parameters, by default the second choice of RFC 9106, section 4; `memory` is in KiB."""

    salt: str
    memory: int = 64 * 1024
    iterations: int = 3
    lanes: int = 4

    @classmethod
    def read(cls, text: str | None) -> "Argon2":
        """Read them from the vault's header. Raises KeyUnreadable for what would never end, or is none of ours."""
        try:
            found = cls(**json.loads(text or ""))
            sane = 16 <= found.memory <= 2**20 and 1 <= found.iterations <= 100 and 1 <= found.lanes <= 64
            sane = sane and len(bytes.fromhex(found.salt)) >= _SALT_SIZE
        except (TypeError, ValueError) as error:
            raise KeyUnreadable("The vault does not say how its passphrase is used.", hint=_DAMAGED) from error
        if not sane:
            raise KeyUnreadable("The vault says something unsound about its passphrase.", hint=_DAMAGED)
        return found

    def derive(self, passphrase: Secret) -> bytes:
        """Make the key; takes a fifth of a second on purpose."""
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        kdf = Argon2id(
            salt=bytes.fromhex(self.salt),
            length=KEY_SIZE,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory,
        )
        # The same letters may be typed as other characters on another keyboard.
        return kdf.derive(unicodedata.normalize("NFC", passphrase.reveal()).encode(errors="surrogatepass"))


class PassphraseKey:
    """Fill `KeySource` with what the person types; there is nothing to remove but their memory."""

    name = "passphrase"
    protects = (
        "Nothing on this computer is enough without the passphrase, as far as nobody can guess it. "
        "While Doorkey runs, its memory holds the key."
    )
    restore = "Try the passphrase again, or open the vault with `doorkey key recover`; nothing was overwritten."

    def __init__(self, passphrases: Passphrases) -> None:
        self._passphrases = passphrases

    def read(self) -> None:
        """Wait to be chosen."""

    def find(self, lock: Lock) -> bytes | None:
        argon2 = Argon2.read(lock.derivation)
        secret = argon2.derive(self._passphrases.ask())
        if not lock.fits(secret):
            raise KeyUnreadable("That is not the passphrase of this vault.", hint=self.restore)
        return secret

    def create(self, vault: str) -> NewKey:
        passphrase = self._passphrases.choose()
        if len(passphrase.reveal()) < SHORTEST:
            raise KeyUnreadable(
                f"A passphrase needs at least {SHORTEST} characters; nothing was changed.",
                hint="Take four or five random words: who has a copy of the vault can try millions.",
            )
        argon2 = Argon2(salt=token_bytes(_SALT_SIZE).hex())
        return NewKey(argon2.derive(passphrase), json.dumps(asdict(argon2)))

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        """Keep nothing, so remove nothing."""


class NobodyToAsk:
    """Fill `ports.Passphrases` where no person is."""

    def __init__(self, *, hint: str | None = None) -> None:
        self._hint = hint

    def ask(self) -> Secret:
        message = "The vault opens with a passphrase, and nobody can be asked for it here."
        raise PassphraseNeeded(message, hint=self._hint)

    def choose(self) -> Secret:
        return self.ask()


class TriedPassphrases:
    """Fill `ports.Passphrases` with the one that somebody tries just now, else with whoever else can be asked."""

    def __init__(self, others: Passphrases) -> None:
        self._others = others
        # Seen by who tries it and by nobody else: what goes on beside must not fail for a wrong guess.
        self._tried: ContextVar[Secret | None] = ContextVar("tried", default=None)

    @contextmanager
    def trying(self, passphrase: Secret) -> Iterator[None]:
        """Answer with this passphrase inside the block."""
        before = self._tried.set(passphrase)
        try:
            yield
        finally:
            self._tried.reset(before)

    def leave_to(self, others: Passphrases) -> None:
        """Ask others from now on."""
        self._others = others

    def ask(self) -> Secret:
        return self._tried.get() or self._others.ask()

    def choose(self) -> Secret:
        return self._others.choose()
