"""Asking for the vault's passphrase: hidden on the terminal, and a new one twice or on stdin."""

from doorkey.cli.io import Io
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, PassphraseNeeded


class TerminalPassphrases:
    """Fill `ports.Passphrases` with the person at the terminal."""

    def __init__(self, io: Io) -> None:
        self._io = io

    def ask(self) -> Secret:
        if not self._io.interactive:
            raise PassphraseNeeded("The vault opens with a passphrase, and nobody can be asked for it here.")
        return hidden(self._io, "Passphrase of the vault (it is not shown): ")

    def choose(self) -> Secret:
        from doorkey.adapters.key_sources.passphrase import SHORTEST

        chosen = hidden(self._io, f"New passphrase for the vault, at least {SHORTEST} characters (it is not shown): ")
        if self._io.interactive and hidden(self._io, "The same once more: ") != chosen:
            raise KeyUnreadable("Those were two different passphrases; nothing was changed.", hint="Try again.")
        return chosen


def hidden(io: Io, question: str) -> Secret:
    """Ask without showing the answer, else take the first line of stdin. Raises KeyUnreadable where nothing comes."""
    text = io.typed_hidden(question)
    if not text:
        raise KeyUnreadable("Nothing was typed; nothing was changed.", hint="Type it when asked, or put it on stdin.")
    return Secret(text)
