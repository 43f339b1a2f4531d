"""What every store of readings must do."""

from dataclasses import replace

import pytest

from doorkey.domain.window import Told, Window
from doorkey.ports import Readings
from doorkey.testing.values import HOUR, NOON

HOURS = Window(name="5 hours", used_percent=12.5, resets_at=NOON + HOUR, source=Told.HEADERS, as_of=NOON)
WEEK = Window(name="7 days", used_percent=None, resets_at=None, source=Told.PAGE, as_of=NOON, is_rate=True)


class ReadingsContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Readings:
        """Give an empty store."""
        raise NotImplementedError

    def test_what_was_kept_is_returned_whole_by_account(self, store: Readings) -> None:
        store.keep("acc_1", [WEEK, HOURS])
        store.keep("acc_2", [HOURS])

        assert {account: list(windows) for account, windows in store.all().items()} == {
            "acc_1": [HOURS, WEEK],
            "acc_2": [HOURS],
        }

    def test_a_newer_reading_takes_the_place_of_its_window_and_leaves_the_others(self, store: Readings) -> None:
        newer = replace(HOURS, used_percent=13.0, as_of=NOON + HOUR)
        store.keep("acc_1", [HOURS, WEEK])

        store.keep("acc_1", [newer])

        assert list(store.all()["acc_1"]) == [newer, WEEK]

    def test_an_older_reading_comes_too_late(self, store: Readings) -> None:
        newer = replace(HOURS, used_percent=13.0, as_of=NOON + HOUR)
        store.keep("acc_1", [newer])

        store.keep("acc_1", [HOURS])

        assert list(store.all()["acc_1"]) == [newer]

    def test_an_account_that_is_forgotten_takes_its_readings_along(self, store: Readings) -> None:
        store.keep("acc_1", [HOURS])
        store.keep("acc_2", [HOURS])

        store.forget("acc_1")

        assert list(store.all()) == ["acc_2"]
