import pytest

from doorkey.testing.script import World


@pytest.fixture
def world() -> World:
    return World()
