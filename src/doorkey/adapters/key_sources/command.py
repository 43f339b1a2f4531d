"""The master key from a program that prints it: a password manager, or the client of a KMS."""

import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from hmac import compare_digest

from doorkey.adapters.key_sources.source import Lock, NewKey, decode, nobody
from doorkey.errors import KeyUnreadable

# Long enough for a person to touch a token or to unlock a password manager.
PATIENCE = timedelta(seconds=60)
_FORM = "`key_command` in config.toml must print base64 of 32 random bytes, the same each time, and nothing else."


class KeyCommand:
    """Fill `KeySource` with `key_command` of config.toml, run without a shell; what it says on stderr is shown.

    Whoever set the program up is the one who makes and removes the key.
    """

    name = "command"
    protects = (
        "As much as the program that prints the key guards it. "
        "Programs that run as you can run it too, unless it asks you first."
    )
    restore = "Let `key_command` in config.toml print the key that this vault was made with; nothing was overwritten."

    def __init__(self, command: Callable[[], str | None], *, patience: timedelta = PATIENCE) -> None:
        self._command = command
        self._patience = patience

    def read(self) -> None:
        """Wait to be chosen."""

    def find(self, lock: Lock) -> bytes | None:
        return self._run()

    def create(self, vault: str) -> NewKey:
        key = self._run()
        # One that makes up a new key each time would lock the vault for ever.
        if not compare_digest(key, self._run()):
            raise KeyUnreadable("The key_command printed another key the second time.", hint=_FORM)
        return NewKey(key)

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        """Leave it to whoever set it up."""

    def _run(self) -> bytes:
        line = self._command()
        if line is None:
            raise KeyUnreadable("There is no `key_command` in config.toml.", hint=_FORM)
        seconds = self._patience.total_seconds()
        try:
            done = subprocess.run(
                shlex.split(line), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            # Not its cause: that would hold what was printed so far.
            raise KeyUnreadable(f"The key_command did not end within {seconds:.0f} s.", hint=self.restore) from None
        except (OSError, ValueError) as error:
            raise KeyUnreadable("The key_command cannot be run.", hint=_FORM) from error
        if done.returncode:
            raise KeyUnreadable(f"The key_command failed with exit code {done.returncode}.", hint=self.restore)
        key = decode(done.stdout.decode("ascii", "replace"))
        if key is None:
            raise KeyUnreadable("The key_command printed no key.", hint=_FORM)
        return key
