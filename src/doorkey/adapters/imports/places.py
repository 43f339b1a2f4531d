"""Every place that is looked at, by the name of its source."""

from collections.abc import Mapping
from pathlib import Path, PurePath

from doorkey.adapters.imports.codex import CodexLogin
from doorkey.adapters.profiles import AntProfiles
from doorkey.ports import Catalog, Finds


class Places:
    """Make the places; each of them is loaded only by who looks."""

    def __init__(
        self, *, environ: Mapping[str, str], here: Path, catalog: Catalog, codex: CodexLogin, ant: AntProfiles
    ) -> None:
        self._environ = environ
        self._here = here
        self._catalog = catalog
        self._codex = codex
        self._ant = ant

    def __call__(self, env_file: PurePath | None) -> Mapping[str, Finds]:
        """Name the places, in the order that they are shown; without an `env_file` the folder's own `.env` counts."""
        from doorkey.adapters.imports.ant import AntFinds
        from doorkey.adapters.imports.claude_code import ClaudeCodeFinds
        from doorkey.adapters.imports.dotenv import DotenvFinds
        from doorkey.adapters.imports.llm import LlmFinds

        names = [name for provider in self._catalog.all() for name in provider.api.env]
        return {
            "codex": self._codex,
            "ant": AntFinds(self._ant),
            "llm": LlmFinds(self._environ),
            "env": DotenvFinds(self._here / (env_file or ".env"), names, named=env_file is not None),
            "claude-code": ClaudeCodeFinds(self._environ),
        }
