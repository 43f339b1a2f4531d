"""The cipher of a vault: finds the master key when it is first needed, and never makes one beside sealed rows."""

from collections.abc import Sequence

from doorkey.adapters.cipher.envelope import Key, key_id, seal, unseal
from doorkey.adapters.cipher.header import Header, read_header, write_header
from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store.database import Database
from doorkey.errors import KeyUnreadable

_ROWS = "SELECT 1 FROM accounts UNION ALL SELECT 1 FROM attempts UNION ALL SELECT 1 FROM data_keys LIMIT 1"


class VaultCipher:
    """Fill `ports.Cipher` with the data keys of a vault.

    The key comes from the environment where it is set there, else from the source that the header names, else from
    any other. A new vault gets its header when it first seals; its key is made by the last source if none has one.
    A failure is not remembered: a key that is put back works at once.
    """

    def __init__(self, database: Database, sources: Sequence[KeySource]) -> None:
        self._database = database
        self._sources = sources
        self._opened: dict[bytes, Key] = {}

    def seal(self, plain: bytes, context: str) -> bytes:
        # The header is read each time, so that a rotation by another process is followed at once.
        header = read_header(self._database) or self._make_header()
        return seal(self._data_key(header, header.newest), plain, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        wanted = key_id(sealed)
        key = self._opened.get(wanted) or self._data_key(self._header(), wanted)
        return unseal(key, sealed, context)

    def check(self) -> None:
        header = read_header(self._database)
        if header is not None:
            header.unwrap(self._master(header), header.newest)

    def _data_key(self, header: Header, wanted: bytes) -> Key:
        if wanted not in self._opened:
            self._opened[wanted] = header.unwrap(self._master(header), wanted)
        return self._opened[wanted]

    def _header(self) -> Header:
        header = read_header(self._database)
        if header is None:
            raise KeyUnreadable("The vault has lost its header.", hint="Restore the vault from a backup.")
        return header

    def _master(self, header: Header) -> bytes:
        home = next((source for source in self._sources if source.name == header.source), None)
        hint = home.restore if home else None
        for source in sorted(self._sources, key=lambda each: (each.name != "environment", each is not home)):
            secret = source.read()
            if secret is None:
                continue
            if not header.accepts(secret):
                message = f"The master key ({source.name}) is not the one of this vault."
                raise KeyUnreadable(message, hint=source.restore)
            return secret
        raise KeyUnreadable(f"The master key of this vault ({header.source}) is missing.", hint=hint)

    def _make_header(self) -> Header:
        # Two first runs at once: the second waits here, and finds the first one's header.
        with self._database.transaction():
            header = read_header(self._database)
            if header is None:
                if self._database.rows(_ROWS):
                    raise KeyUnreadable("The vault has lost its header.", hint="Restore the vault from a backup.")
                secret, source = self._first_key()
                write_header(self._database, secret, source)
                header = self._header()
        return header

    def _first_key(self) -> tuple[bytes, str]:
        for source in self._sources:
            secret = source.read()
            if secret is not None:
                return secret, source.name
        return self._sources[-1].create(), self._sources[-1].name
