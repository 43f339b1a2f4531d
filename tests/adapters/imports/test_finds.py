"""Each place against the contract of them all."""

from pathlib import Path

import httpx2
import pytest

from doorkey.adapters.imports.ant import AntFinds
from doorkey.adapters.imports.claude_code import ClaudeCodeFinds
from doorkey.adapters.imports.codex import CodexLogin
from doorkey.adapters.imports.dotenv import DotenvFinds
from doorkey.adapters.imports.llm import LlmFinds
from doorkey.adapters.profiles import AntProfiles
from doorkey.domain.finding import SOURCES
from doorkey.ports import Finds
from doorkey.testing.clock import FakeClock
from doorkey.testing.contracts.finds import CANARY, FindsContract
from tests.adapters.imports.foreign import claude_login, codex_login, write


class TestCodex(FindsContract):
    @pytest.fixture
    def finds(self, home: Path) -> Finds:
        write(home / ".codex" / "auth.json", codex_login() | {"OPENAI_API_KEY": f"sk-{CANARY}"})
        return CodexLogin({}, FakeClock())


class TestAnt(FindsContract):
    @pytest.fixture
    def finds(self, home: Path) -> Finds:
        write(home / ".config" / "anthropic" / "credentials" / "default.json", {"access_token": CANARY})
        return AntFinds(AntProfiles({}, httpx2.Client))


class TestLlm(FindsContract):
    @pytest.fixture
    def finds(self, tmp_path: Path) -> Finds:
        write(tmp_path / "keys.json", {"openai": f"sk-{CANARY}", "gemini": CANARY})
        return LlmFinds({"LLM_USER_PATH": str(tmp_path)})


class TestDotenv(FindsContract):
    @pytest.fixture
    def finds(self, tmp_path: Path) -> Finds:
        write(tmp_path / ".env", f"ACME_API_KEY={CANARY}\nOTHER_API_KEY={CANARY}\n")
        return DotenvFinds(tmp_path / ".env", ["ACME_API_KEY", "OTHER_API_KEY"], named=False)


class TestClaudeCode(FindsContract):
    @pytest.fixture
    def finds(self, home: Path) -> Finds:
        write(home / ".claude" / ".credentials.json", claude_login())
        return ClaudeCodeFinds({})


def test_every_source_has_a_place(home: Path) -> None:
    from doorkey.bootstrap import open_house

    with open_house(here=home) as house:
        assert tuple(house.services.importing.look().places) == SOURCES
