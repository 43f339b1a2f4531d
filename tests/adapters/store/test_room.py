"""Room that is held on the disk, and freed when it is needed."""

import stat

import pytest

from doorkey.adapters.store.room import SIZE, Room
from doorkey.errors import StorageFull


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.db-room"


def test_it_takes_as_much_as_it_promises_and_is_the_owners_alone(path):
    Room(path).keep()

    assert path.stat().st_size == SIZE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_given_once(path):
    room = Room(path)
    room.keep()

    given = [room.give(), room.give()]

    assert given == [True, False]
    assert not path.exists()


def test_what_is_held_already_is_not_written_again(path):
    Room(path).keep()
    before = path.read_bytes()

    Room(path).keep()

    assert path.read_bytes() == before


def test_where_there_is_none_nothing_is_left_behind(tmp_path):
    with pytest.raises(StorageFull):
        Room(tmp_path / "nowhere" / "vault.db-room").keep()

    assert list(tmp_path.iterdir()) == []
