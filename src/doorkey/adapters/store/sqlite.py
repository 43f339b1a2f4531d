"""Open the two SQLite files: the vault, where every commit is on the disk, and the app's, which may lose the last."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store.database import PATIENCE
from doorkey.adapters.store.machine import Machine, ThisMachine
from doorkey.adapters.store.over import app_over, vault_over
from doorkey.adapters.store.schema import APP, VAULT
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.adapters.store.stores import AppStore, Vault

_MACHINE = ThisMachine()


def open_vault(
    folder: Path, key: Sequence[KeySource], *, machine: Machine = _MACHINE, patience: timedelta = PATIENCE
) -> Vault:
    """Open `vault.db`, making it where there is none; no key is read or made before something is sealed or opened.

    `key` are the sources that are asked, the last of which makes the key of a new vault.
    Raises VaultDamaged, StorageFull and StoreBusy.
    """
    return vault_over(SqliteDatabase(folder / "vault.db", VAULT, patience=patience), key, machine)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def open_app(
    folder: Path, *, now: Callable[[], datetime] = utc_now, machine: Machine = _MACHINE, patience: timedelta = PATIENCE
) -> AppStore:
    """Open `app.db`, making it where there is none. Raises VaultDamaged, StorageFull and StoreBusy."""
    return app_over(SqliteDatabase(folder / "app.db", APP, patience=patience), now, machine)
