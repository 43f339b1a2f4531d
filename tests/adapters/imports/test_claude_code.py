from dataclasses import fields
from datetime import UTC, datetime, timedelta

from doorkey.adapters.imports.claude_code import ClaudeCodeFinds
from doorkey.domain.finding import Taking
from tests.adapters.imports.foreign import CANARY, claude_login, write


def test_the_sign_in_is_shown_with_plan_and_end_and_none_of_its_tokens(home):
    path = write(home / ".claude" / ".credentials.json", claude_login())

    (found,) = ClaudeCodeFinds({}).look()

    assert (found.taking, found.identity.plan, found.file) == (Taking.SHOW, "max", str(path))
    assert timedelta(minutes=59) < found.expires_at - datetime.now(UTC) < timedelta(minutes=61)
    assert [field.name for field in fields(found) if CANARY in str(getattr(found, field.name))] == []
    assert found.secret is None


def test_the_ways_that_are_allowed_are_named(home):
    write(home / ".claude" / ".credentials.json", claude_login())

    (found,) = ClaudeCodeFinds({}).look()

    assert found.meaning.startswith("Never imported")
    assert "API key" in found.meaning
    assert "doorkey import ant" in found.meaning


def test_its_folder_can_be_another(tmp_path):
    write(tmp_path / ".credentials.json", claude_login())

    assert len(ClaudeCodeFinds({"CLAUDE_CONFIG_DIR": str(tmp_path)}).look()) == 1


def test_a_file_without_a_sign_in_and_no_file_are_nothing(home):
    assert ClaudeCodeFinds({}).look() == []

    write(home / ".claude" / ".credentials.json", {"mcpOAuth": {}})

    assert ClaudeCodeFinds({}).look() == []
