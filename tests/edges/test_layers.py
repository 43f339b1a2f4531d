"""The contracts on imports stop what they say they stop, shown on a house built for it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edges.places import ROOT, tracked

INNER = ["domain", "flows", "providers", "ports", "service"]
OUTER = ["bootstrap", "adapters", "agent", "web", "gateway", "sdk", "cli", "sandbox", "testing"]
MODULES = ["__init__", "errors"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    package = tmp_path / "doorkey"
    for name in INNER + OUTER:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    for name in MODULES:
        (package / f"{name}.py").touch()
    return package


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    arguments = [str(program), "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    environment = os.environ | {"PYTHONPATH": str(house.parent)}
    return subprocess.run(arguments, cwd=house.parent, env=environment, check=False, capture_output=True, text=True)


def test_a_house_in_order_passes(house):
    (house / "cli/token.py").write_text("from doorkey import bootstrap, errors, sandbox\n")
    (house / "agent/models.py").write_text("import pydantic_ai\n")

    found = lint(house)

    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("domain/tokens.py", "import doorkey.flows"),
        ("domain/tokens.py", "import time"),
        ("flows/refresh.py", "import doorkey.providers"),
        ("ports/vault.py", "import sqlite3"),
        ("providers/openai.py", "import httpx2"),
        ("service/accounts.py", "import doorkey.adapters"),
        ("web/pages.py", "import doorkey.adapters"),
        ("agent/runs.py", "import doorkey.adapters"),
        ("gateway/door.py", "import doorkey.bootstrap"),
        ("web/pages.py", "import pydantic_ai.messages"),
        ("service/accounts.py", "import doorkey.sandbox"),
        ("sandbox/token.py", "import doorkey.errors"),
        ("vault.py", "import doorkey.errors"),
    ],
)
def test_an_import_that_goes_upward_or_outside_is_stopped(house, place, line):
    (house / place).write_text(f"{line}\n")

    found = lint(house)

    assert found.returncode == 1
    assert place.removesuffix(".py").replace("/", ".") in found.stdout


def test_the_middle_names_paths_but_opens_none():
    middle = tracked(*(f"src/doorkey/{name}" for name in ("domain", "flows", "providers", "ports")))
    opens = re.compile(r"^(import pathlib|from pathlib import (?!Pure\w+$))", re.MULTILINE)

    assert middle
    assert [str(path) for path in middle if opens.search(path.read_text("utf-8"))] == []
