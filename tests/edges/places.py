"""Where the things are that hold the project together, and what git keeps of them."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def tracked(*under: str) -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z", *under], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if (ROOT / name).is_file()]
