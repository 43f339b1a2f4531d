"""The stores over a database, whichever it is: there is one set of them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from doorkey.adapters.cipher.ring import SqlKeyRing
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.adapters.store.approvals import SqlAllowances, SqlApprovals
from doorkey.adapters.store.attempts import SqlAttempts
from doorkey.adapters.store.audit import SqlAudit
from doorkey.adapters.store.conversations import SqlConversations
from doorkey.adapters.store.database import Database
from doorkey.adapters.store.leases import SqlLeases
from doorkey.adapters.store.machine import Machine
from doorkey.adapters.store.page_sessions import SqlPageSessions
from doorkey.adapters.store.readings import SqlReadings
from doorkey.adapters.store.runs import SqlEvents, SqlRuns, SqlStops
from doorkey.adapters.store.settings import SqlSettings
from doorkey.adapters.store.stores import AppStore, Vault
from doorkey.adapters.store.usage import SqlLedger


def vault_over(database: Database, key: Sequence[KeySource], machine: Machine) -> Vault:
    """Give the vault in a database; closing it closes the database."""
    cipher = VaultCipher(database, key)
    return Vault(
        accounts=SqlAccounts(database, cipher),
        leases=SqlLeases(database, machine),
        attempts=SqlAttempts(database, cipher),
        choices=SqlSettings(database),
        cipher=cipher,
        keys=SqlKeyRing(database, cipher),
        close=database.close,
    )


def app_over(database: Database, now: Callable[[], datetime], machine: Machine) -> AppStore:
    """Give the chats in a database; closing them closes the database."""
    return AppStore(
        preferences=SqlSettings(database),
        conversations=SqlConversations(database),
        runs=SqlRuns(database),
        events=SqlEvents(database),
        approvals=SqlApprovals(database),
        allowances=SqlAllowances(database),
        claims=SqlLeases(database, machine),
        stops=SqlStops(database),
        page_sessions=SqlPageSessions(database, now),
        audit=SqlAudit(database),
        ledger=SqlLedger(database),
        readings=SqlReadings(database),
        close=database.close,
    )
