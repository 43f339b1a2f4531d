"""A house in the test's own home, with a practice provider named `acme` in its config."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.bootstrap import House, open_house
from doorkey.sandbox import server
from doorkey.testing.practice import ACME
from tests.cli.acme import Browser


@pytest.fixture(scope="session")
def practice_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Running]:
    running = server.start(state_file=tmp_path_factory.mktemp("practice") / "sandbox.db")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def practice(practice_server: server.Running) -> str:
    return practice_server.url


@pytest.fixture
def config(home: Path, practice: str) -> Path:
    folder = home / "doorkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(ACME.format(url=practice))
    return path


@pytest.fixture
def house(config: Path) -> Iterator[House]:
    with open_house(here=config.parent) as opened:
        opened.browser = Browser()  # type: ignore[assignment]  # It fills the same port.
        yield opened
