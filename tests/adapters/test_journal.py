"""What is recorded is written in batches, and nobody waits for it."""

import logging
import os
from datetime import timedelta
from threading import Event

import pytest

from doorkey.adapters.journal import SPELL, Journal
from doorkey.domain.audit import Action
from doorkey.errors import StoreBusy
from doorkey.testing.contracts.audit import AuditContract
from doorkey.testing.memory import MemoryAudit
from doorkey.testing.values import NOON, an_entry

PATIENCE = 20.0  # How long a test waits for what must happen, before it fails.
NEVER = timedelta(hours=1)


class Shelf(MemoryAudit):
    """An audit that can be busy, and tells when something was written."""

    def __init__(self):
        super().__init__()
        self.busy = False
        self.opened = 0
        self.written = Event()

    def open(self):
        self.opened += 1
        if self.busy:
            raise StoreBusy("Another program holds the database.")
        return self

    def record(self, *entries):
        super().record(*entries)
        self.written.set()


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def journal(shelf):
    """A journal that writes only when it is told to."""
    journal = Journal(shelf.open, pause=NEVER)
    yield journal
    journal.close()


class TestJournal(AuditContract):
    @pytest.fixture
    def store(self, journal):
        return journal


def test_recording_touches_no_store(journal, shelf):
    journal.record(an_entry())

    assert shelf.opened == 0


def test_what_was_recorded_is_written_soon(shelf):
    journal = Journal(shelf.open, pause=timedelta(milliseconds=1))

    journal.record(an_entry())

    assert shelf.written.wait(PATIENCE)
    journal.close()


def test_closing_writes_what_waits(journal, shelf):
    journal.record(an_entry())

    journal.close()
    journal.close()

    assert shelf.read(10) == [an_entry()]


def test_a_journal_without_entries_opens_no_store(journal, shelf):
    journal.flush()
    journal.close()

    assert shelf.opened == 0


def test_uses_of_one_minute_are_one_row_and_each_moves_the_last_use(journal, shelf):
    last = NOON + SPELL - timedelta(seconds=1)
    journal.record(an_entry(at=NOON))
    journal.flush()

    journal.record(an_entry(at=last))
    journal.flush()

    assert shelf.read(10) == [an_entry(at=NOON)]
    assert shelf.last_uses() == {"acc_1": last}


def test_a_use_after_a_minute_is_a_row_again(journal, shelf):
    journal.record(an_entry(at=NOON), an_entry(at=NOON + SPELL))

    journal.flush()

    assert [entry.at for entry in shelf.read(10)] == [NOON + SPELL, NOON]


@pytest.mark.parametrize("other", [{"detail": "chat cht_1"}, {"account": "acc_2"}, {"account": None, "label": "KEY"}])
def test_uses_of_another_account_or_errand_have_their_own_row(journal, shelf, other):
    journal.record(an_entry(), an_entry(**other))

    journal.flush()

    assert len(shelf.read(10)) == 2


def test_whatever_is_no_use_has_always_a_row(journal, shelf):
    renewed = an_entry(action=Action.RENEWED)
    journal.record(renewed, renewed)

    journal.flush()

    assert shelf.read(10) == [renewed, renewed]
    assert shelf.last_uses() == {}


def test_what_cannot_be_written_waits_in_its_order(journal, shelf):
    first, second = an_entry(), an_entry(action=Action.REVOKED)
    shelf.busy = True
    journal.record(first)
    journal.flush()
    journal.record(second)
    shelf.busy = False

    journal.flush()

    assert shelf.read(10) == [second, first]


def test_a_store_that_stays_busy_is_told_once(journal, shelf, caplog):
    shelf.busy = True
    journal.record(an_entry())

    with caplog.at_level(logging.WARNING):
        journal.flush()
        journal.flush()

    assert caplog.messages == ["The audit cannot be written just now: StoreBusy"]
    shelf.busy = False


def test_a_child_of_a_fork_writes_only_its_own(journal, shelf):
    journal.record(an_entry(label="parent"))

    pid = os.fork()
    if pid == 0:
        journal.record(an_entry(label="child"))
        journal.close()
        os._exit(0 if [entry.label for entry in shelf.read(10)] == ["child"] else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    journal.flush()
    assert [entry.label for entry in shelf.read(10)] == ["parent"]


def test_reading_shows_what_was_just_recorded(journal):
    journal.record(an_entry())

    assert journal.read(10) == [an_entry()]
    assert journal.last_uses() == {"acc_1": NOON}
