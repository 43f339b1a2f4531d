"""The check that a person runs with an account of theirs, here at the practice provider."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from doorkey.testing.practice import approve, bring_back
from tests.edges.places import ROOT
from tests.journeys.configs import config

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "scripts" / "live_check.py"
PATIENCE = 120


class LiveCheck:
    """The running script, and everything that it says."""

    def __init__(self, folder: Path, url: str, *arguments: str) -> None:
        file = folder / "live.toml"
        file.write_text(config(url))
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments, "--config", str(file), "--no-browser"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "ACME_API_KEY": "key-of-the-surroundings"},
        )

    def address(self) -> str:
        """Read on until the address to open is there."""
        for line in self.process.stdout or ():
            if found := re.match(r"http\S+", line):
                return found[0]
        raise AssertionError(self.process.communicate(timeout=PATIENCE))

    def end(self, stdin: str = "") -> tuple[int, str, dict[str, str]]:
        """Wait for the report; give the exit code, all of the text, and what came of each step."""
        out, err = self.process.communicate(stdin, timeout=PATIENCE)
        rows = dict(re.findall(r"^\| (\w[\w ]*?) \| (works|fails) \|", out, re.MULTILINE))
        return self.process.returncode, out + err, rows


ALL_STEPS = dict.fromkeys(("sign in", "models", "renewal", "call", "sign out"), "works")


def test_a_sign_in_is_tried_from_its_beginning_to_its_end(home, practice):
    check = LiveCheck(home, practice.url, "acme")
    bring_back(approve(check.address()))

    code, text, rows = check.end()

    assert (code, rows) == (0, ALL_STEPS), text
    assert "told: identity, plan, workspace, expires_at" in text
    assert "| renewal | works | a new token came |" in text
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1
    assert practice.sandbox.log.count(action="revoke", outcome="ok") == 1
    assert practice.sandbox.log.count(credential="api_key") == 0
    assert not re.search(r"sandbox-(at|rt)-", text)
    assert "ada@practice.example" not in text


def test_an_access_that_is_for_this_app_only_is_tried_as_the_app_does(home, practice):
    check = LiveCheck(home, practice.url, "openai")
    bring_back(approve(check.address()))

    code, text, rows = check.end()

    assert (code, rows) == (0, ALL_STEPS), text
    assert "paid by: plan" in text
    assert "sandbox-pat-" not in text


def test_a_key_that_a_sign_in_gave_is_told_to_be_deleted_there(home, practice):
    check = LiveCheck(home, practice.url, "openrouter")
    bring_back(approve(check.address()))

    code, text, rows = check.end()

    assert (code, rows) == (0, ALL_STEPS), text
    assert "not needed: it lasts" in text
    assert "End it at https://openrouter.ai/settings/keys." in text
    assert "sandbox-router-" not in text


def test_a_key_has_nothing_to_renew_and_is_ended_elsewhere(home, practice):
    key = practice.sandbox.make_key()
    check = LiveCheck(home, practice.url, "acme", "--method", "api-key")

    code, text, rows = check.end(f"{key}\n")

    assert (code, rows) == (0, ALL_STEPS), text
    assert "not needed: it lasts" in text
    assert "here only: error: A key is ended on the provider's own page." in text
    assert key not in text


def test_a_step_that_fails_is_told_with_the_reason_and_the_others_are_tried(home, practice):
    check = LiveCheck(home, practice.url, "acme")
    address = check.address()
    practice.sandbox.faults.add("unavailable", endpoint="model", times=1)
    bring_back(approve(address))

    code, text, rows = check.end()

    assert code == 1
    assert rows == ALL_STEPS | {"models": "fails", "call": "fails"}
    assert "there is no model to ask" in text
    assert practice.sandbox.log.count(action="revoke", outcome="ok") == 1


def test_without_a_sign_in_nothing_else_is_tried(home, practice):
    check = LiveCheck(home, practice.url, "acme")
    bring_back(approve(check.address(), decision="deny"))

    code, text, rows = check.end()

    assert (code, rows) == (1, {"sign in": "fails"})
    assert "press Allow" in text


def test_the_script_can_be_called_by_its_name():
    assert os.access(ROOT / "scripts" / "live-check", os.X_OK)
