"""The stores over PostgreSQL fill the same contracts as those over SQLite."""

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.postgres import open_app, open_vault
from doorkey.domain.secret import Secret
from doorkey.testing.clock import FakeClock, FakeMachine
from tests.adapters.store import test_sqlite as same

pytestmark = pytest.mark.postgres


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def vault(postgres_url, tmp_path, machine):
    vault, _ = open_vault(Secret(postgres_url), [KeyFile(tmp_path / "config")], machine=machine)
    yield vault
    vault.close()


@pytest.fixture
def app(postgres_url, clock, machine):
    app = open_app(Secret(postgres_url), now=clock.now, machine=machine)
    yield app
    app.close()


class TestSqlAccounts(same.TestSqlAccounts):
    pass


class TestSqlLeases(same.TestSqlLeases):
    pass


class TestSqlAttempts(same.TestSqlAttempts):
    pass


class TestSqlChoices(same.TestSqlChoices):
    pass


class TestVaultCipher(same.TestVaultCipher):
    pass


class TestSqlPreferences(same.TestSqlPreferences):
    pass


class TestSqlConversations(same.TestSqlConversations):
    pass


class TestSqlRuns(same.TestSqlRuns):
    pass


class TestSqlClaims(same.TestSqlClaims):
    pass


class TestSqlStops(same.TestSqlStops):
    pass


class TestSqlLedger(same.TestSqlLedger):
    pass


class TestSqlReadings(same.TestSqlReadings):
    pass


class TestSqlAudit(same.TestSqlAudit):
    pass


class TestSqlEvents(same.TestSqlEvents):
    pass


class TestSqlApprovals(same.TestSqlApprovals):
    pass


class TestSqlAllowances(same.TestSqlAllowances):
    pass


class TestSqlPageSessions(same.TestSqlPageSessions):
    pass
