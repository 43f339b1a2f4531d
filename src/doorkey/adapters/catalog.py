"""The providers in force: the built-in ones with config.toml laid over them, read anew when the file changed."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path, PurePath

from doorkey.domain.network import Network
from doorkey.domain.provider import Provider
from doorkey.errors import UnknownName
from doorkey.ports import Clock
from doorkey.providers.config import Merged, merge

CHECK_EVERY = timedelta(seconds=1)
Stamp = tuple[int, int, int]


class FileCatalog:
    """Look at the file at most once a second; without it, the built-in providers are all there is."""

    def __init__(self, path: Path, builtin: Sequence[Provider], clock: Clock) -> None:
        self._path = path
        self._builtin = builtin
        self._clock = clock
        self._checked_at = clock.now()
        self._stamp = self._look()
        self._merged = self._read()

    def all(self) -> Sequence[Provider]:
        return self._current().providers

    def provider(self, provider: str) -> Provider:
        for known in self.all():
            if known.id == provider:
                return known
        hint = "config.toml has mistakes that may have left it out; `doorkey doctor` shows them."
        raise UnknownName(f"There is no provider named “{provider}”.", hint=hint if self.problems() else None)

    def problems(self) -> Sequence[str]:
        return self._current().problems

    def env_files(self) -> Sequence[PurePath]:
        """Return the trusted files; a relative one is seen from the config's folder."""
        return [self._path.parent / Path(name).expanduser() for name in self._current().env_files]

    def network(self) -> Network:
        """Return how providers are reached that say nothing of it themselves."""
        return self._current().network

    def key_command(self) -> str | None:
        """Return the command line that prints the vault's key."""
        return self._current().key_command

    def _current(self) -> Merged:
        now = self._clock.now()
        if abs(now - self._checked_at) >= CHECK_EVERY:
            self._checked_at = now
            stamp = self._look()
            if stamp != self._stamp:
                # The stamp is taken before the text, so that a change in between is seen the next time.
                self._stamp, self._merged = stamp, self._read()
        return self._merged

    def _look(self) -> Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Merged:
        try:
            text = self._path.read_text("utf-8-sig")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError):
            problem = "config.toml line 1: The file cannot be read as text; nothing in it is in force."
            return Merged(providers=tuple(self._builtin), problems=(problem,))
        return merge(text, self._builtin)
