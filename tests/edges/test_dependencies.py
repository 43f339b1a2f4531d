"""The pins are whole and name no address; every dependency says why it is there."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.edges.places import ROOT, project

PINS = (ROOT / "requirements.txt").read_text("utf-8")
PINNED = [Requirement(line.rstrip(" \\")) for line in PINS.splitlines() if re.match(r"[a-z0-9]", line)]
WANTED_LINE = re.compile(r'    "[A-Za-z0-9_.-]+(\[[a-z,]+\])?[<>=!~][^"]*",')


def wanted() -> list[Requirement]:
    table = project()
    extras = table["project"]["optional-dependencies"].values()
    groups = [table["project"]["dependencies"], *extras, *table["dependency-groups"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_the_pins_name_no_address():
    assert "://" not in PINS
    assert not re.search(r"^-", PINS, re.MULTILINE), "an option such as an index"


@pytest.mark.parametrize("block", re.split(r"\n(?=[a-z0-9])", PINS), ids=lambda block: block.partition("==")[0])
def test_every_pin_is_exact_and_hashed(block):
    assert re.match(r"[a-z0-9-]+==[\w.]+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", block)


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_every_dependency_has_a_pin_that_fits(requirement):
    pins = [pin for pin in PINNED if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]

    assert pins, "run scripts/pin"
    assert all(requirement.specifier.contains(next(iter(pin.specifier)).version) for pin in pins), "run scripts/pin"


def test_every_dependency_says_why_in_the_line_above_it():
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    places = [number for number, line in enumerate(lines) if WANTED_LINE.fullmatch(line)]

    silent = [lines[place].strip() for place in places if not lines[place - 1].startswith("    # ")]

    assert len(places) == len(wanted())
    assert silent == []
