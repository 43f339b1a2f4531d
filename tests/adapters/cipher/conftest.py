import pytest

from tests.adapters.cipher.installations import Installation


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path / "one")
    made.fill()
    return made
