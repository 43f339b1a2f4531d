"""Every place where the key of an installation may be."""

from collections.abc import Callable, Mapping, Sequence

from doorkey.adapters.key_sources.command import KeyCommand
from doorkey.adapters.key_sources.environment import EnvironmentKey
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.key_sources.keyring import KeyringKey
from doorkey.adapters.key_sources.passphrase import PassphraseKey
from doorkey.adapters.key_sources.remembered import Remembered
from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.paths import Folders
from doorkey.ports import Passphrases


def sources_of(
    environ: Mapping[str, str], folders: Folders, command: Callable[[], str | None], passphrases: Passphrases
) -> Sequence[KeySource]:
    """List them; the last makes the key of a new vault."""
    return [
        EnvironmentKey(environ),
        Remembered(KeyringKey()),
        Remembered(PassphraseKey(passphrases)),
        Remembered(KeyCommand(command)),
        KeyFile(folders.config, beside_vault=folders.config == folders.data),
    ]
