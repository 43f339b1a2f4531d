"""What `pip install .` brings is the whole package: templates, styles and SQL as well."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.edges.places import ROOT, tracked


@pytest.fixture
def wheel(tmp_path: Path) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(tmp_path.glob("*.whl")))


def test_every_tracked_file_of_the_package_is_in_the_wheel(wheel):
    kept = {str(path.relative_to(ROOT / "src")) for path in tracked("src/doorkey")}

    with wheel:
        packed = set(wheel.namelist())

    assert kept
    assert kept <= packed


def test_the_wheel_brings_the_command_and_the_licence(wheel):
    with wheel:
        texts = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}

    assert "doorkey = doorkey.cli.main:main" in texts["entry_points.txt"]
    assert "MIT License" in texts["LICENSE"]
