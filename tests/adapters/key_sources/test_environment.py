"""The key in DOORKEY_KEY."""

from base64 import b64encode, urlsafe_b64encode

import pytest

from doorkey.adapters.key_sources.environment import EnvironmentKey
from doorkey.errors import KeyUnreadable

KEY = bytes([255, 238]) * 16


@pytest.mark.parametrize(
    "text", [b64encode(KEY).decode(), urlsafe_b64encode(KEY).decode(), f" {b64encode(KEY).decode()}\n"]
)
def test_a_key_is_read(text):
    assert EnvironmentKey({"DOORKEY_KEY": text}).read() == KEY


def test_no_variable_is_no_key():
    assert EnvironmentKey({}).read() is None


@pytest.mark.parametrize(
    "text", ["", "canary", "canary!" * 8, b64encode(KEY[:31]).decode(), b64encode(KEY * 2).decode(), "é" * 44]
)
def test_what_is_no_key_is_refused_and_not_shown(text):
    with pytest.raises(KeyUnreadable) as refused:
        EnvironmentKey({"DOORKEY_KEY": text}).read()

    shown = f"{refused.value} {refused.value.hint}"
    assert "DOORKEY_KEY" in shown
    assert not text or text not in shown


def test_none_can_be_made_here():
    with pytest.raises(KeyUnreadable):
        EnvironmentKey({}).create("a vault")
