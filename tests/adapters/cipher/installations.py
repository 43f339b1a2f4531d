"""A vault in a folder with every source that its key may have, and what is kept in it."""

from base64 import b64encode
from shutil import copytree

from keyring.errors import PasswordDeleteError

from doorkey.adapters.key_sources.command import KeyCommand
from doorkey.adapters.key_sources.environment import EnvironmentKey
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.key_sources.keyring import KeyringKey
from doorkey.adapters.key_sources.passphrase import PassphraseKey
from doorkey.testing.values import a_device, an_attempt, held, some_tokens
from tests.adapters.cipher.rings import opened, whole
from tests.adapters.key_sources.test_keyring import Desktop
from tests.adapters.key_sources.test_passphrase import Typist

ENVIRON = {"DOORKEY_KEY": b64encode(bytes(32)).decode()}
COMMAND = f"echo {b64encode(bytes([1]) * 32).decode()}"
SOURCES = ["file", "keyring", "passphrase", "command", "environment"]


def take(steps):
    """Take every step, and return what it yielded."""
    return list(steps)


def rotate(vault):
    """Rotate, and return the code."""
    return take(vault.ring.rotate())[-1]


class Sticky(Desktop):
    """Gives nothing away again."""

    sticks = True

    def delete_password(self, service, username):
        if self.sticks:
            raise PasswordDeleteError
        super().delete_password(service, username)


class Installation:
    """One folder with a vault in it, and every source that its key may have."""

    def __init__(self, folder):
        self.folder = folder
        self.desktop = Desktop()
        self.environ = {}
        self.kept = [held(some_tokens(str(number)), id=f"acc_{number}") for number in range(3)]
        self.attempts = [an_attempt(id="sgn_1"), an_attempt(id="sgn_2", device=a_device())]

    @property
    def sources(self):
        return [
            EnvironmentKey(self.environ),
            KeyringKey(lambda: self.desktop),
            PassphraseKey(Typist()),
            KeyCommand(lambda: COMMAND),
            self.file,
        ]

    @property
    def file(self):
        return KeyFile(self.folder / "config")

    def open(self, **settings):
        return opened(self.folder, self.sources, **settings)

    def fill(self):
        with self.open() as vault:
            for each in self.kept:
                vault.accounts.save(each, read=None)
            for attempt in self.attempts:
                vault.attempts.save(attempt, was=None)

    def copy(self, folder):
        copytree(self.folder, folder)
        other = Installation(folder)
        other.desktop.items, other.environ = dict(self.desktop.items), dict(self.environ)
        other.kept, other.attempts = self.kept, self.attempts
        return other

    def assert_whole(self):
        with self.open() as vault:
            assert whole(vault, self.kept, self.attempts)


def prepare(installation, source):
    """Do for a source what only a person can do."""
    installation.environ = dict(ENVIRON) if source == "environment" else {}
