"""A vault over and over: opened with these sources, perhaps by a program that is killed at one of its statements."""

from contextlib import closing, contextmanager

from doorkey.adapters.cipher.ring import SqlKeyRing
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.adapters.store.attempts import SqlAttempts
from doorkey.adapters.store.database import PATIENCE
from doorkey.adapters.store.schema import VAULT
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.errors import StoreBusy


class Killed(BaseException):
    """What a kill looks like from the inside: nothing of ours catches it."""


class Doomed:
    """Fill `Database` with one whose program dies before its statement of this number; 0 is the first."""

    def __init__(self, database, at):
        self._database = database
        self.left = at

    def rows(self, sql, values=()):
        if self.left == 0:
            raise Killed
        self.left -= 1
        return self._database.rows(sql, values)

    def transaction(self, of=None):
        return self._database.transaction(of)

    def version(self):
        return self._database.version()

    def keep_room(self):
        self._database.keep_room()

    def give_room(self):
        return self._database.give_room()

    def close(self):
        self._database.close()


class Overtaken:
    """Fill `Database` with one that lets others go first, once, where a transaction is to begin."""

    def __init__(self, database, others):
        self._database = database
        self._others = [others]
        self.rows, self.version, self.close = database.rows, database.version, database.close
        self.keep_room, self.give_room = database.keep_room, database.give_room

    def transaction(self, of=None):
        while self._others:
            self._others.pop()()
        return self._database.transaction(of)


class Unsure:
    """Fill `Database` with one whose first transaction is committed, and reported as failed."""

    def __init__(self, database):
        self._database = database
        self._failures = 1
        self.rows, self.version, self.close = database.rows, database.version, database.close
        self.keep_room, self.give_room = database.keep_room, database.give_room

    @contextmanager
    def transaction(self, of=None):
        with self._database.transaction(of):
            yield
        if self._failures:
            self._failures -= 1
            raise StoreBusy("The connection was lost.")


class Opened:
    """The parts of one opened vault that these tests use."""

    def __init__(self, database, sources, at=-1):
        doomed = Doomed(database, at)
        self.cipher = VaultCipher(doomed, sources)
        self.ring = SqlKeyRing(doomed, self.cipher)
        self.accounts = SqlAccounts(doomed, self.cipher)
        self.attempts = SqlAttempts(doomed, self.cipher)
        self.database, self.rows = database, database.rows


@contextmanager
def opened(folder, sources=None, *, at=-1, patience=PATIENCE):
    """Open a vault in a folder, by default with its key in a file beside it."""
    with closing(SqliteDatabase(folder / "data" / "vault.db", VAULT, patience=patience)) as database:
        yield Opened(database, sources or [KeyFile(folder / "config")], at)


def whole(vault, accounts, attempts=()):
    """Whether everything that was kept opens, and is what it was."""
    return [vault.accounts.load(held.account.id) for held in accounts] == list(accounts) and [
        vault.attempts.load(attempt.id) for attempt in attempts
    ] == list(attempts)
