"""Open the two SQLite files: the vault, where every commit is on the disk, and the app's, which may lose the last."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.adapters.store.approvals import SqlAllowances, SqlApprovals
from doorkey.adapters.store.attempts import SqlAttempts
from doorkey.adapters.store.conversations import SqlConversations
from doorkey.adapters.store.database import PATIENCE, Database
from doorkey.adapters.store.leases import SqlLeases
from doorkey.adapters.store.machine import Machine, ThisMachine
from doorkey.adapters.store.page_sessions import SqlPageSessions
from doorkey.adapters.store.runs import SqlEvents, SqlRuns
from doorkey.adapters.store.schema import APP, VAULT
from doorkey.adapters.store.settings import SqlSettings
from doorkey.adapters.store.stores import AppStore, Vault

_MACHINE = ThisMachine()


def open_vault(
    folder: Path, key: Sequence[KeySource], *, machine: Machine = _MACHINE, patience: timedelta = PATIENCE
) -> Vault:
    """Open `vault.db`, making it where there is none; no key is read or made before something is sealed or opened.

    `key` are the sources that are asked, the last of which makes the key of a new vault.
    Raises VaultDamaged, StorageFull and StoreBusy.
    """
    database = Database(folder / "vault.db", VAULT, patience=patience)
    cipher = VaultCipher(database, key)
    return Vault(
        accounts=SqlAccounts(database, cipher),
        leases=SqlLeases(database, machine),
        attempts=SqlAttempts(database, cipher),
        choices=SqlSettings(database),
        cipher=cipher,
        close=database.close,
    )


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def open_app(folder: Path, *, now: Callable[[], datetime] = utc_now, patience: timedelta = PATIENCE) -> AppStore:
    """Open `app.db`, making it where there is none. Raises VaultDamaged, StorageFull and StoreBusy."""
    database = Database(folder / "app.db", APP, patience=patience)
    return AppStore(
        preferences=SqlSettings(database),
        conversations=SqlConversations(database),
        runs=SqlRuns(database),
        events=SqlEvents(database),
        approvals=SqlApprovals(database),
        allowances=SqlAllowances(database),
        page_sessions=SqlPageSessions(database, now),
        close=database.close,
    )
