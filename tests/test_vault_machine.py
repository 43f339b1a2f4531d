"""Whatever programs, clocks, crashes and a strict provider do to one account: its sign-in is lost to nobody of ours.

The rules are in `vault_machine`, those about the keys of the vault in `key_machine`; here is what they are played over.
"""

from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from doorkey.adapters.store import postgres_schema, schema
from doorkey.adapters.store.postgres_address import Address
from doorkey.adapters.store.postgres_database import PostgresDatabase
from doorkey.adapters.store.sqlite_database import SqliteDatabase
from doorkey.domain.secret import Secret
from doorkey.testing.memory import MemoryLeases, memory_vault
from doorkey.testing.values import NOON
from tests.key_machine import KeyMachine
from tests.vault_machine import Seat, VaultMachine

pytestmark = pytest.mark.slow

MACHINES = 2


class MemoryMachine(VaultMachine):
    """Over the vault in memory, whose leases end and never hear of a death."""

    def __init__(self):
        super().__init__()
        self.vault = replace(memory_vault(), leases=MemoryLeases(lambda: NOON + self.time.uptime))

    def open_vault(self, seat):
        return self.vault


class SqliteMachine(KeyMachine):
    """Over one file, which every program opens for itself."""

    def open_database(self):
        return SqliteDatabase(self.folder / "vault.db", schema.VAULT)


class SharedSeat(Seat):
    """A place on one of several computers, which take the time from the database: nobody sets that one."""

    def now(self):
        return NOON + self.time.uptime


class PostgresMachine(KeyMachine):
    """Over one shared schema, emptied before; the programs are on several computers, which share the key."""

    url: str

    def __init__(self):
        super().__init__()
        with closing(self.open_database()), psycopg.connect(self.url, autocommit=True) as stranger:
            found = stranger.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'doorkey_vault'")
            tables = ", ".join(f"doorkey_vault.{name}" for (name,) in found if name not in {"migrations", "changes"})
            stranger.execute(f"TRUNCATE {tables}")

    def open_database(self):
        return PostgresDatabase(Address(Secret(self.url)), postgres_schema.VAULT)

    def seat(self, pid, number):
        return SharedSeat(pid, self.time, self.dead, boot=f"machine {number % MACHINES}")


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=150, stateful_step_count=60)

TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(max_examples=25, stateful_step_count=60)


@pytest.mark.postgres
def test_over_postgresql(postgres_url):
    class Machine(PostgresMachine):
        url = postgres_url

    run_state_machine_as_test(Machine, settings=settings(max_examples=6, stateful_step_count=40))
