"""The API keys that `llm keys set` keeps, by their names (simonw/llm)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from doorkey.adapters.imports import reading
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.secret import Secret

COPIES = "The key is copied into your vault; llm keeps its own."


class LlmFinds:
    """Fill `ports.Finds`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._path = folder(environ) / "keys.json"
        self.place = str(self._path)

    def look(self) -> Sequence[Finding]:
        found = reading.read_object(self._path)
        return findings_in(found[0], self.place, found[1]) if found else []


def folder(environ: Mapping[str, str]) -> Path:
    """Return where llm keeps its files: the folder of the variable, else the platform's for configuration."""
    if named := environ.get("LLM_USER_PATH"):
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_config_path("io.datasette.llm", appauthor=False)


def findings_in(body: Mapping[str, Any], file: str, warning: str | None) -> Sequence[Finding]:
    """Return every key with a name, known here or not; llm's note to the reader stands among them and is none."""
    return [
        Finding(
            source="llm",
            name=name,
            file=file,
            taking=Taking.COPY,
            meaning=COPIES,
            called=f"{name} from llm",
            secret=Secret(key),
            warning=warning,
        )
        for name in body
        if len(name) <= reading.LONGEST_LABEL and not name.startswith("//") and (key := reading.text(body, name))
    ]
