"""The keys of a vault, changed in steps: each is durable before the next begins, and none leaves the vault shut."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from doorkey.adapters.cipher.header import (
    KEYS,
    Header,
    change_master,
    current_header,
    forget_left,
    new_vault,
    read_header,
)
from doorkey.adapters.cipher.recovery import add_code, change_codes, codes, end_codes, new_code, open_with_code
from doorkey.adapters.cipher.rotation import BATCH, Rotation
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.source import KeySource, Lock, NewKey, nobody
from doorkey.adapters.store.database import Database
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, KeyUnreadable, StorageFull, StoreBusy, UnknownName
from doorkey.ports import KeyFacts, KeyRing


class SqlKeyRing:
    """Fill `ports.KeyRing` over the header of a vault; a rotation goes in steps of `batch` rows of a table."""

    def __init__(self, database: Database, cipher: VaultCipher, *, batch: int = BATCH) -> None:
        self._database = database
        self._cipher = cipher
        self._batch = batch

    def facts(self) -> KeyFacts:
        try:
            header = read_header(self._database)
            if header is None:
                return KeyFacts(None, "There is no key yet: the first secret makes one.")
        except KeyUnreadable as error:
            return KeyFacts(None, "", str(error), error.hint)
        problem, hint = self._problem()
        made = [datetime.fromisoformat(code["made_at"]) for code in codes(self._database)]
        return KeyFacts(
            header.source,
            self._protects(header.source),
            problem,
            hint,
            made[-1] if made else None,
            header.rotating,
            header.left.source if header.left else None,
        )

    def needs(self, secret: bytes) -> bool:
        header = read_header(self._database)
        return header is not None and header.lock.fits(secret)

    def move(self, source: str, *, code: Secret | None = None, beside: KeyRing | None = None) -> Iterator[None]:
        target = self._cipher.source(source)
        header = read_header(self._database)
        if header is None:
            yield from self._begin(target, code)
            return
        secret = open_with_code(self._database, header, code) if code else self._cipher.master(header, bound_for=source)
        self._remove_left(header, beside)
        made = target.create(header.lock.vault)
        yield
        self._turn(header, secret, made, target)
        yield
        self._remove_left(self._cipher.header(), beside)

    def rotate(self, code: Secret | None = None) -> Iterator[int | Secret]:
        header = read_header(self._database) or self._cipher.make_header()
        secret = self._cipher.master(header)
        rotation = Rotation(self._database, header.lock, secret, self._batch)
        rotation.begin()
        left = 1
        while left:
            left = rotation.go_on()
            yield left
        code = code or new_code()
        with self._database.transaction(KEYS):
            number = add_code(self._database, current_header(self._database, header.lock), secret, code)
        # Until it was shown, the one before it counts as well.
        yield code
        end_codes(self._database, before=number)

    def _begin(self, target: KeySource, code: Secret | None) -> Iterator[None]:
        """Choose the source of a vault that has nothing sealed yet."""
        if code:
            raise KeyUnreadable("This vault holds nothing that a recovery code could open.", hint="Sign in first.")
        vault = new_vault()
        made = target.create(vault)
        yield
        header = self._cipher.make_header((vault, made, target.name))
        if header.lock.vault != vault:
            target.drop(Lock.of(vault, *made))
            raise StoreBusy("Another program began the vault meanwhile.", hint="Run the command again.")

    def _turn(self, header: Header, secret: bytes, made: NewKey, target: KeySource) -> None:
        """Let the vault open by the new key and no longer by the old one, in one transaction."""
        lock, written = Lock.of(header.lock.vault, *made), False
        try:
            with self._database.transaction(KEYS):
                now = current_header(self._database, header.lock)
                written = True
                change_master(self._database, now, secret, made, target.name)
                change_codes(self._database, now, secret, made, lock.master)
        except DoorkeyError:
            # A commit that failed may have reached the disk all the same: then a key too many is the lesser evil.
            if not written:
                target.drop(lock)
            raise

    def _remove_left(self, header: Header, beside: KeyRing | None) -> None:
        """Remove the old key where its source still holds it; one that does not answer is tried the next time."""
        if header.left is None:
            return
        with suppress(KeyUnreadable, StorageFull, UnknownName):
            self._cipher.source(header.left.source).drop(header.left.lock, beside.needs if beside else nobody)
            forget_left(self._database, header.left)

    def _problem(self) -> tuple[str | None, str | None]:
        try:
            self._cipher.check()
        except KeyUnreadable as error:
            return str(error), error.hint
        return None, None

    def _protects(self, source: str) -> str:
        with suppress(UnknownName):
            return self._cipher.source(source).protects
        return ""
