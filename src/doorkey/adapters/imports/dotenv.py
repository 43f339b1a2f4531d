"""API keys in a `.env` file: the names that providers have for them, and nothing else that is in it (rule 5)."""

from collections.abc import Sequence
from pathlib import Path

from doorkey.adapters.imports import reading
from doorkey.adapters.surroundings import from_a_file, parse
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.foreign import tame
from doorkey.domain.secret import Secret
from doorkey.errors import ImportRejected

COPIES = "The key is copied into your vault. The file stays as it is; remove the line when you are ready."


class DotenvFinds:
    """Fill `ports.Finds`; a file that was `named` has to be there."""

    def __init__(self, path: Path, names: Sequence[str], *, named: bool) -> None:
        self._path = path.absolute()
        self._names = names
        self._named = named
        self.place = str(self._path)

    def look(self) -> Sequence[Finding]:
        found = reading.read(self._path)
        if found is None and self._named:
            raise ImportRejected(f"There is no file {self._path}.", hint="Name the file after `doorkey import env`.")
        return findings_in(found.content, self._names, self._path, found.warning) if found else []


def findings_in(content: bytes, names: Sequence[str], path: Path, warning: str | None) -> Sequence[Finding]:
    """Return the keys under these names, in their order."""
    values = parse(content.decode("utf-8-sig", errors="replace"))
    return [
        Finding(
            source="env",
            name=name,
            file=str(path),
            taking=Taking.COPY,
            meaning=COPIES,
            # The name of a folder may be no text, and drive a terminal.
            called=tame(f"{name} from {_short(path)}"),
            secret=Secret(key),
            warning=warning,
        )
        for name in dict.fromkeys(from_a_file(names))
        if (key := values.get(name, "").strip())
    ]


def _short(path: Path) -> str:
    """Write a path as people do who are at home."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
