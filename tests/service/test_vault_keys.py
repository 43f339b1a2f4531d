"""What a person does with the key of the vault."""

import pytest

from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.service.vault_keys import VaultKeys
from doorkey.testing.memory import MemoryKeyRing


@pytest.fixture
def ring():
    return MemoryKeyRing(rows=2)


@pytest.fixture
def keys(ring):
    return VaultKeys(ring)


def test_a_move_is_told_with_the_facts_after_it(keys):
    assert keys.use("keyring").source == "keyring"
    assert keys.facts().source == "keyring"


def test_a_rotation_tells_what_is_left_and_then_shows_one_code(keys, ring):
    heard = []

    keys.rotate(lambda code: heard.append(code.reveal()), heard.append)

    assert heard == [2, 1, 0, "code-1"]
    assert ring.codes == [Secret("code-1")]


def test_a_code_that_could_not_be_shown_does_not_end_the_one_before(keys, ring):
    keys.rotate(lambda _: None, lambda _: None)

    def closed(_):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        keys.rotate(closed, lambda _: None)

    assert Secret("code-1") in ring.codes


def test_the_code_recovers(keys):
    keys.rotate(lambda _: None, lambda _: None)

    assert keys.recover(Secret("code-1"), "passphrase").source == "passphrase"


def test_another_code_does_not(keys):
    with pytest.raises(KeyUnreadable):
        keys.recover(Secret("code-9"), "file")

    assert keys.facts().source == "file"
