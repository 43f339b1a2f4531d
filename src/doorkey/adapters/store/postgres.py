"""Open the two schemas of a shared PostgreSQL database: the same stores as over SQLite, the time from the database."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store.database import PATIENCE, Database
from doorkey.adapters.store.machine import Machine, Process, ThisMachine
from doorkey.adapters.store.over import app_over, vault_over
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_database import PostgresDatabase
from doorkey.adapters.store.postgres_schema import APP, VAULT
from doorkey.adapters.store.sqlite import utc_now
from doorkey.adapters.store.stores import AppStore, Vault
from doorkey.domain.secret import Secret


class SharedTime:
    """Fill `Machine` for leases that several machines share: the processes are this machine's, the time is not."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    def uptime(self) -> float:
        return self.now().timestamp()

    def now(self) -> datetime:
        (row,) = self._database.rows("SELECT clock_timestamp() AS now")
        now: datetime = row["now"]
        return now.astimezone(UTC)

    def this_process(self) -> Process:
        return self._machine.this_process()

    def is_dead(self, process: Process) -> bool:
        return self._machine.is_dead(process)


def open_vault(
    url: Secret, key: Sequence[KeySource], *, machine: Machine | None = None, patience: timedelta = PATIENCE
) -> tuple[Vault, bool]:
    """Open the vault's schema, making it where there is none, and say whether the server is on this machine.

    Raises Misconfigured for a URL that is none, VaultDamaged, StorageFull and StoreBusy.
    """
    database = PostgresDatabase(Address(url), VAULT, patience=patience)
    return vault_over(database, key, machine or SharedTime(database, ThisMachine())), database.is_local


def open_app(
    url: Secret,
    *,
    now: Callable[[], datetime] = utc_now,
    machine: Machine | None = None,
    patience: timedelta = PATIENCE,
) -> AppStore:
    """Open the app's schema, making it where there is none. Raises as `open_vault` does."""
    database = PostgresDatabase(Address(url), APP, patience=patience)
    return app_over(database, now, machine or SharedTime(database, ThisMachine()))
