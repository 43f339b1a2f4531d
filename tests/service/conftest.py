import pytest

from tests.service.fakes import House


@pytest.fixture
def house() -> House:
    return House()
