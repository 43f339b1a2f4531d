"""The cipher of a vault: finds the master key when it is first needed, and never makes one beside sealed rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from doorkey.adapters.cipher.envelope import Key, key_id, seal, unseal
from doorkey.adapters.cipher.header import KEYS, Header, new_vault, read_header, write_header
from doorkey.adapters.key_sources.source import KeySource, NewKey
from doorkey.adapters.store.database import Database
from doorkey.errors import KeyUnreadable, UnknownName

_ROWS = "SELECT 1 FROM accounts UNION ALL SELECT 1 FROM attempts UNION ALL SELECT 1 FROM data_keys LIMIT 1"
Seal = Callable[[bytes, str], bytes]


class VaultCipher:
    """Fill `ports.Cipher` with the data keys of a vault.

    The key comes from the environment where it is set there, else from the source that the header names, and from no
    other. A new vault gets its header when it first seals; its key is made by the last source if none has one.
    A failure is not remembered: a key that is put back works at once.
    """

    def __init__(self, database: Database, sources: Sequence[KeySource]) -> None:
        self._database = database
        self._sources = sources
        self._opened: dict[bytes, Key] = {}

    def seal(self, plain: bytes, context: str) -> bytes:
        # The header is read each time, so that a rotation by another process is followed at once.
        return seal(self._newest(), plain, context)

    @contextmanager
    def sealing(self) -> Iterator[Seal]:
        """Open a transaction whose rows are sealed by a key that no rotation can end before they are written."""
        while True:
            # Found outside of the transaction, because somebody may have to type a passphrase.
            key = self._newest()
            with self._database.transaction(KEYS):
                if self.header().newest == key.id:
                    yield partial(seal, key)
                    return

    def open(self, sealed: bytes, context: str, *former: str) -> bytes:
        wanted = key_id(sealed)
        key = self._opened.get(wanted) or self._data_key(self.header(), wanted)
        return unseal(key, sealed, context, *former)

    def check(self) -> None:
        header = read_header(self._database)
        if header is not None:
            header.unwrap(self.master(header), header.newest)

    def header(self) -> Header:
        """Read the header; raise KeyUnreadable where there is none."""
        header = read_header(self._database)
        if header is None:
            raise KeyUnreadable("The vault has lost its header.", hint="Restore the vault from a backup.")
        return header

    def source(self, name: str) -> KeySource:
        """Find a source by its name. Raises UnknownName."""
        for source in self._sources:
            if source.name == name:
                return source
        names = ", ".join(sorted(source.name for source in self._sources))
        raise UnknownName(f"There is no key source named “{name}”.", hint=f"Choose one of: {names}.")

    def master(self, header: Header, *, bound_for: str | None = None) -> bytes:
        """Find the master key; DOORKEY_KEY is left out where it is the one that the vault is to be moved to."""
        home = next((source for source in self._sources if source.name == header.source), None)
        for source in [*(each for each in self._sources if each.name == "environment" != bound_for), home]:
            secret = source.find(header.lock) if source else None
            if source is None or secret is None:
                continue
            if not header.lock.fits(secret):
                message = f"The master key ({source.name}) is not the one of this vault."
                raise KeyUnreadable(message, hint=source.restore)
            return secret
        hint = home.restore if home else None
        raise KeyUnreadable(f"The master key of this vault ({header.source}) is missing.", hint=hint)

    def make_header(self, made: tuple[str, NewKey, str] | None = None) -> Header:
        """Begin a new vault: by a key that was made for this id in this source, else by the first that there is.

        Two first runs at once: the second waits here, and finds the first one's header.
        """
        with self._database.transaction(KEYS):
            header = read_header(self._database)
            if header is None:
                if self._database.rows(_ROWS):
                    raise KeyUnreadable("The vault has lost its header.", hint="Restore the vault from a backup.")
                write_header(self._database, *(made or self._first_key()))
                header = self.header()
        return header

    def _newest(self) -> Key:
        header = read_header(self._database) or self.make_header()
        return self._data_key(header, header.newest)

    def _data_key(self, header: Header, wanted: bytes) -> Key:
        if wanted not in self._opened:
            self._opened[wanted] = header.unwrap(self.master(header), wanted)
        return self._opened[wanted]

    def _first_key(self) -> tuple[str, NewKey, str]:
        vault = new_vault()
        for source in self._sources:
            secret = source.read()
            if secret is not None:
                return vault, NewKey(secret), source.name
        return vault, self._sources[-1].create(vault), self._sources[-1].name
