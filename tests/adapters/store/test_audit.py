"""What only the audit of a file promises: not even SQL of our own changes a row."""

import sqlite3
from contextlib import closing

import pytest

from doorkey.adapters.store.sqlite import open_app
from doorkey.testing.values import an_entry


def test_a_row_cannot_be_changed(tmp_path):
    with closing(open_app(tmp_path)) as app:
        app.audit.record(an_entry())

        with closing(sqlite3.connect(tmp_path / "app.db")) as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE audit SET action = 'renewed'")

        assert app.audit.read(10) == [an_entry()]


def test_a_number_is_not_given_again_after_its_row_was_dropped(tmp_path):
    with closing(open_app(tmp_path)) as app, closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        app.audit.record(an_entry(), an_entry())
        with connection:
            connection.execute("DELETE FROM audit")

        app.audit.record(an_entry())

        assert connection.execute("SELECT number FROM audit").fetchall() == [(3,)]
