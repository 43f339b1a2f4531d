"""A practice key for the models."""

import pytest

from tests.sandbox.visitor import Visitor


@pytest.fixture
def key(visitor: Visitor) -> str:
    return visitor.sandbox.make_key()
