"""Every store in memory: true to its port, gone with the process."""

from doorkey.adapters.store.stores import AppStore, Vault
from doorkey.testing.clock import FakeClock
from doorkey.testing.memory.app import (
    Chats,
    MemoryAllowances,
    MemoryApprovals,
    MemoryConversations,
    MemoryEvents,
    MemoryLedger,
    MemoryPageSessions,
    MemoryReadings,
    MemoryRuns,
    MemoryStops,
)
from doorkey.testing.memory.audit import MemoryAudit
from doorkey.testing.memory.keys import MemoryKeyRing
from doorkey.testing.memory.rows import MemorySettings
from doorkey.testing.memory.vault import MemoryAccounts, MemoryAttempts, MemoryCipher, MemoryLeases

__all__ = [
    "MemoryAccounts",
    "MemoryAllowances",
    "MemoryApprovals",
    "MemoryAttempts",
    "MemoryAudit",
    "MemoryCipher",
    "MemoryConversations",
    "MemoryEvents",
    "MemoryKeyRing",
    "MemoryLeases",
    "MemoryLedger",
    "MemoryPageSessions",
    "MemoryReadings",
    "MemoryRuns",
    "MemorySettings",
    "MemoryStops",
    "memory_app",
    "memory_vault",
]


def memory_vault(clock: FakeClock | None = None) -> Vault:
    """Make an empty vault; its leases end by the clock."""
    return Vault(
        accounts=MemoryAccounts(),
        leases=MemoryLeases((clock or FakeClock()).now),
        attempts=MemoryAttempts(),
        choices=MemorySettings(),
        cipher=MemoryCipher(),
        keys=MemoryKeyRing(),
        close=_nothing,
    )


def memory_app(clock: FakeClock | None = None) -> AppStore:
    """Make an empty store of chats; page sessions and claims end by the clock."""
    chats, now = Chats(), (clock or FakeClock()).now
    return AppStore(
        preferences=MemorySettings(),
        conversations=MemoryConversations(chats),
        runs=MemoryRuns(chats),
        events=MemoryEvents(chats),
        approvals=MemoryApprovals(chats),
        allowances=MemoryAllowances(chats),
        claims=MemoryLeases(now),
        stops=MemoryStops(chats),
        page_sessions=MemoryPageSessions(now),
        audit=MemoryAudit(),
        ledger=MemoryLedger(chats),
        readings=MemoryReadings(),
        close=_nothing,
    )


def _nothing() -> None:
    """Close what holds nothing open."""
