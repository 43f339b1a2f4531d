import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorkey.adapters.catalog import FileCatalog
from doorkey.domain.provider import Api, Dialect, Provider
from doorkey.errors import UnknownName

BUILTIN = (
    Provider(
        id="acme",
        name="Acme",
        api=Api(base_url="https://llm.acme.example/v1", dialect=Dialect.OPENAI_CHAT),
        methods=(),
    ),
)


class SteppingClock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.moment = datetime(2026, 11, 24, tzinfo=UTC)

    def now(self):
        return self.moment

    def sleep(self, span):
        self.moment += span


@pytest.fixture
def clock():
    return SteppingClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.toml"


def renamed(path: Path, name: str) -> None:
    path.write_text(f'[providers.acme]\nname = "{name}"\n')


def test_without_a_file_the_built_in_providers_are_all(path, clock):
    catalog = FileCatalog(path, BUILTIN, clock)

    assert catalog.all() == BUILTIN
    assert list(catalog.problems()) == []
    assert list(catalog.env_files()) == []


def test_the_config_is_laid_over_the_built_in_providers(path, clock):
    renamed(path, "Ours")

    catalog = FileCatalog(path, BUILTIN, clock)

    assert catalog.provider("acme").name == "Ours"


def test_a_changed_file_is_read_anew_after_a_second(path, clock):
    renamed(path, "One")
    catalog = FileCatalog(path, BUILTIN, clock)
    renamed(path, "Two, longer")

    at_once = catalog.provider("acme").name
    clock.sleep(timedelta(seconds=1))
    later = catalog.provider("acme").name

    assert (at_once, later) == ("One", "Two, longer")


def test_a_file_of_the_same_size_is_told_apart_by_its_time(path, clock):
    renamed(path, "One")
    catalog = FileCatalog(path, BUILTIN, clock)
    renamed(path, "Two")
    os.utime(path, ns=(0, 1))
    clock.sleep(timedelta(seconds=1))

    assert catalog.provider("acme").name == "Two"


def test_an_unchanged_file_is_not_read_again(path, clock):
    renamed(path, "One")
    catalog = FileCatalog(path, BUILTIN, clock)
    before = catalog.all()
    clock.sleep(timedelta(seconds=5))

    assert catalog.all() is before


def test_a_deleted_file_leaves_the_built_in_providers(path, clock):
    renamed(path, "One")
    catalog = FileCatalog(path, BUILTIN, clock)
    path.unlink()
    clock.sleep(timedelta(seconds=1))

    assert catalog.all() == BUILTIN


def test_a_clock_that_is_set_back_does_not_stop_the_checks(path, clock):
    renamed(path, "One")
    catalog = FileCatalog(path, BUILTIN, clock)
    renamed(path, "Two, longer")
    clock.sleep(timedelta(hours=-3))

    assert catalog.provider("acme").name == "Two, longer"


def test_a_file_that_is_no_text_is_one_problem(path, clock):
    path.write_bytes(b"\xff\xfe\x00")

    catalog = FileCatalog(path, BUILTIN, clock)

    assert catalog.all() == BUILTIN
    assert len(catalog.problems()) == 1


def test_a_byte_order_mark_is_no_mistake(path, clock):
    path.write_text('\ufeff[providers.acme]\nname = "Ours"\n', "utf-8")

    catalog = FileCatalog(path, BUILTIN, clock)

    assert catalog.provider("acme").name == "Ours"


def test_an_unknown_provider_is_named(path, clock):
    catalog = FileCatalog(path, BUILTIN, clock)

    with pytest.raises(UnknownName, match="nobody"):
        catalog.provider("nobody")


def test_trusted_files_are_seen_from_home_and_from_the_configs_folder(path, clock, home):
    path.write_text('env_files = ["~/projects/.env", "near/.env", "/far/.env"]')

    files = FileCatalog(path, BUILTIN, clock).env_files()

    assert list(files) == [home / "projects/.env", path.parent / "near/.env", Path("/far/.env")]
