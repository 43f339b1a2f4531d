"""What every place must do where another program keeps keys or a sign-in."""

from pathlib import Path

import pytest

from doorkey.errors import ImportRejected
from doorkey.ports import Finds

CANARY = "canary-7f3e"
"""A word that stands in every secret of the file that is looked at."""


class FindsContract:
    """Inherit, and give `finds`, whose file is there and holds something."""

    @pytest.fixture
    def finds(self) -> Finds:
        """Give a place whose file holds secrets with the canary in them."""
        raise NotImplementedError

    def test_what_is_found_names_the_file_that_was_looked_at(self, finds: Finds) -> None:
        found = finds.look()

        assert found
        assert {each.file for each in found} == {finds.place}

    def test_each_finding_has_a_name_of_its_own(self, finds: Finds) -> None:
        found = finds.look()

        assert len({(each.source, each.name) for each in found}) == len(found)

    def test_nothing_secret_is_in_what_can_be_printed(self, finds: Finds) -> None:
        assert CANARY not in repr(finds.look())

    def test_the_file_stays_as_it_is(self, finds: Finds) -> None:
        file = Path(finds.place)
        before = file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_mode, sorted(file.parent.iterdir())

        finds.look()

        assert (
            file.read_bytes(),
            file.stat().st_mtime_ns,
            file.stat().st_mode,
            sorted(file.parent.iterdir()),
        ) == before

    def test_it_is_looked_at_anew_each_time(self, finds: Finds) -> None:
        assert finds.look()

        Path(finds.place).unlink()

        assert finds.look() == []

    def test_a_damaged_file_holds_nothing_or_is_refused_by_its_name(self, finds: Finds) -> None:
        Path(finds.place).write_text(f'{{"{CANARY}')

        try:
            found, said = finds.look(), finds.place
        except ImportRejected as error:
            found, said = [], str(error)

        assert found == []
        assert Path(finds.place).stem in said
        assert CANARY not in said
