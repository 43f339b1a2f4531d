"""The SQLite stores fill the same contracts as those in memory."""

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.sqlite import open_app, open_vault
from doorkey.testing.clock import FakeClock, FakeMachine
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
from doorkey.testing.contracts.settings import ChoicesContract, SettingsContract


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def vault(tmp_path, machine):
    vault = open_vault(tmp_path / "data", [KeyFile(tmp_path / "config")], machine=machine)
    yield vault
    vault.close()


@pytest.fixture
def app(tmp_path, clock, machine):
    app = open_app(tmp_path / "data", now=clock.now, machine=machine)
    yield app
    app.close()


class TestSqlAccounts(AccountsContract):
    @pytest.fixture
    def store(self, vault):
        return vault.accounts


class TestSqlLeases(LeasesContract):
    @pytest.fixture
    def store(self, vault):
        return vault.leases


class TestSqlAttempts(AttemptsContract):
    @pytest.fixture
    def store(self, vault):
        return vault.attempts


class TestSqlChoices(ChoicesContract):
    @pytest.fixture
    def store(self, vault):
        return vault.choices


class TestVaultCipher(CipherContract):
    @pytest.fixture
    def cipher(self, vault):
        return vault.cipher


class TestSqlPreferences(SettingsContract):
    @pytest.fixture
    def store(self, app):
        return app.preferences


class TestSqlConversations(ConversationsContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlRuns(RunsContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlClaims(LeasesContract):
    @pytest.fixture
    def store(self, app):
        return app.claims


class TestSqlStops(StopsContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlLedger(LedgerContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlAudit(AuditContract):
    @pytest.fixture
    def store(self, app):
        return app.audit


class TestSqlReadings(ReadingsContract):
    @pytest.fixture
    def store(self, app):
        return app.readings


class TestSqlEvents(EventsContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlApprovals(ApprovalsContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlAllowances(AllowancesContract):
    @pytest.fixture
    def store(self, app):
        return app


class TestSqlPageSessions(PageSessionsContract):
    @pytest.fixture
    def store(self, app):
        return app.page_sessions
