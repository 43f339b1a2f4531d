"""Asking for a passphrase: hidden on the terminal, else the first line of stdin; never an argument or a variable."""

from doorkey.cli.io import Io
from doorkey.domain.secret import Secret
from doorkey.errors import BundleRejected

SHORTEST = 8


def choose(io: Io) -> Secret:
    """Let the person choose one, typed twice at a terminal. Raises BundleRejected."""
    passphrase = ask(io, f"New passphrase, at least {SHORTEST} characters (it is not shown): ")
    if len(passphrase.reveal()) < SHORTEST:
        raise BundleRejected(
            f"A passphrase has at least {SHORTEST} characters.", hint="Four or more words are easy to keep in mind."
        )
    if io.interactive and ask(io, "The same once more: ") != passphrase:
        raise BundleRejected("Those were two different passphrases.", hint="Try again.")
    return passphrase


def ask(io: Io, question: str = "Passphrase (it is not shown): ") -> Secret:
    """Ask for one that was chosen before. Raises BundleRejected where there is none."""
    typed = io.typed_hidden(question)
    if not typed:
        raise BundleRejected("No passphrase was given.", hint="Type it when you are asked, or put it on stdin.")
    return Secret(typed)
