"""The stores in memory fill their contracts."""

import pytest

from doorkey.errors import KeyUnreadable
from doorkey.testing.contracts.accounts import AccountsContract
from doorkey.testing.contracts.approvals import AllowancesContract, ApprovalsContract
from doorkey.testing.contracts.attempts import AttemptsContract
from doorkey.testing.contracts.audit import AuditContract
from doorkey.testing.contracts.chats import (
    ConversationsContract,
    EventsContract,
    LedgerContract,
    RunsContract,
    StopsContract,
)
from doorkey.testing.contracts.cipher import CipherContract
from doorkey.testing.contracts.leases import LeasesContract
from doorkey.testing.contracts.page_sessions import PageSessionsContract
from doorkey.testing.contracts.readings import ReadingsContract
from doorkey.testing.contracts.settings import ChoicesContract
from doorkey.testing.memory import (
    MemoryAccounts,
    MemoryAttempts,
    MemoryAudit,
    MemoryCipher,
    MemoryLeases,
    MemoryPageSessions,
    MemoryReadings,
    MemorySettings,
    memory_app,
)


class TestMemoryAccounts(AccountsContract):
    @pytest.fixture
    def store(self):
        return MemoryAccounts()


class TestMemoryLeases(LeasesContract):
    @pytest.fixture
    def store(self, machine):
        return MemoryLeases(machine.now)


class TestMemoryAttempts(AttemptsContract):
    @pytest.fixture
    def store(self):
        return MemoryAttempts()


class TestMemorySettings(ChoicesContract):
    @pytest.fixture
    def store(self):
        return MemorySettings()


class TestMemoryCipher(CipherContract):
    @pytest.fixture
    def cipher(self):
        return MemoryCipher()

    def test_a_missing_key_seals_and_opens_nothing(self, cipher):
        sealed = cipher.seal(b"a secret", "here")

        cipher.missing = True

        with pytest.raises(KeyUnreadable):
            cipher.open(sealed, "here")
        with pytest.raises(KeyUnreadable):
            cipher.check()


class TestMemoryConversations(ConversationsContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryRuns(RunsContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryStops(StopsContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryReadings(ReadingsContract):
    @pytest.fixture
    def store(self):
        return MemoryReadings()


class TestMemoryAudit(AuditContract):
    @pytest.fixture
    def store(self):
        return MemoryAudit()


class TestMemoryEvents(EventsContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryApprovals(ApprovalsContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryAllowances(AllowancesContract):
    @pytest.fixture
    def store(self):
        return memory_app()


class TestMemoryPageSessions(PageSessionsContract):
    @pytest.fixture
    def store(self, clock):
        return MemoryPageSessions(clock.now)
