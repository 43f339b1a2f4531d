"""The key in the system's keyring: there when it was read back, and nobody waits for a keyring that hangs."""

from datetime import timedelta
from threading import Event

import keyring.errors
import pytest
from keyring.backends import fail

from doorkey.adapters.key_sources import keyring as module
from doorkey.adapters.key_sources.keyring import KeyringKey, system_keyring
from doorkey.adapters.key_sources.source import Lock
from doorkey.errors import KeyUnreadable
from doorkey.testing.contracts.key_sources import KeySourceContract

LOCK = Lock.of("a vault", bytes(32))


class Desktop:
    """Fill `Backend` with a dictionary."""

    def __init__(self):
        self.items = {}

    def get_password(self, service, username):
        return self.items.get((service, username))

    def set_password(self, service, username, password):
        self.items[service, username] = password

    def delete_password(self, service, username):
        del self.items[service, username]


class ReadOnly(Desktop):
    def set_password(self, service, username, password):
        raise keyring.errors.PasswordSetError(password)


class Forgetful(Desktop):
    def set_password(self, service, username, password):
        """Say yes and keep nothing."""


class Silent(Desktop):
    """Answers nothing until the test is over."""

    def __init__(self):
        super().__init__()
        self.over = Event()

    def get_password(self, service, username):
        self.over.wait()


@pytest.fixture
def desktop():
    return Desktop()


class TestKeyringKey(KeySourceContract):
    @pytest.fixture
    def source(self, desktop):
        return KeyringKey(lambda: desktop)


def test_no_two_vaults_share_an_item(desktop):
    source = KeyringKey(lambda: desktop)

    source.create("one")
    source.create("two")

    assert len(desktop.items) == 2
    assert {service for service, _ in desktop.items} == {"Doorkey vault"}


@pytest.mark.parametrize("kind", [ReadOnly, Forgetful])
def test_a_keyring_that_keeps_nothing_is_not_chosen(kind):
    with pytest.raises(KeyUnreadable) as refused:
        KeyringKey(kind).create("a vault")

    assert "doorkey key use file" in refused.value.hint


def test_what_a_keyring_says_of_its_failure_is_not_repeated():
    with pytest.raises(KeyUnreadable, match="PasswordSetError") as refused:
        KeyringKey(ReadOnly).create("a vault")

    assert str(refused.value.__cause__) not in f"{refused.value} {refused.value.hint}"


def test_a_keyring_that_hangs_is_given_up():
    silent = Silent()

    with pytest.raises(KeyUnreadable, match="does not answer"):
        KeyringKey(lambda: silent, patience=timedelta(milliseconds=1)).find(LOCK)

    silent.over.set()


def test_an_item_that_holds_no_key_is_refused(desktop):
    desktop.items["Doorkey vault", f"a vault/{LOCK.master.hex()}"] = "canary"

    with pytest.raises(KeyUnreadable, match="holds no key") as refused:
        KeyringKey(lambda: desktop).find(LOCK)

    assert "canary" not in f"{refused.value} {refused.value.hint}"


def test_where_there_is_no_keyring_that_is_said():
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())

    with pytest.raises(KeyUnreadable, match="no system keyring"):
        KeyringKey().find(LOCK)

    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("place", "sealed"),
    [
        ("keyring.backends.SecretService", True),
        ("keyring.backends.macOS", True),
        ("keyring.backends.null", False),
        ("keyrings.alt.file", False),
    ],
)
def test_a_plain_file_is_no_keyring(place, sealed):
    kind = type("Keyring", (), {"__module__": place})

    assert module._is_sealed(kind()) is sealed


def test_the_one_of_the_system_is_taken_by_default():
    assert KeyringKey()._backend is system_keyring
