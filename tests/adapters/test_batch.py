"""Batches, for whoever writes them; what the audit makes of them is tested with the journal."""

from datetime import timedelta

import pytest

from doorkey.adapters.batch import Batch
from doorkey.errors import StorageFull

NEVER = timedelta(hours=1)


class Writer:
    """Takes batches while there is room."""

    def __init__(self):
        self.taken = []
        self.full = False

    def __call__(self, items):
        if self.full:
            raise StorageFull("No room.")
        self.taken.append(list(items))


@pytest.fixture
def writer():
    return Writer()


@pytest.fixture
def batch(writer):
    batch = Batch("numbers", writer, pause=NEVER)
    yield batch
    batch.close()


def test_what_was_added_is_handed_on_together_and_in_order(batch, writer):
    batch.add(1, 2)
    batch.add(3)

    batch.flush()
    batch.flush()

    assert writer.taken == [[1, 2, 3]]


def test_what_could_not_be_taken_comes_again_before_what_was_added_since(batch, writer):
    writer.full = True
    batch.add(1, 2)
    batch.flush()
    batch.add(3)
    writer.full = False

    batch.flush()

    assert writer.taken == [[1, 2, 3]]


def test_closing_hands_on_what_waits(batch, writer):
    batch.add(1)

    batch.close()

    assert writer.taken == [[1]]
