"""The changelog, the package and its name for itself tell one version."""

import re

from tests.edges.places import ROOT, project


def test_the_newest_changes_are_those_of_this_version():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert headings[0] == project()["project"]["version"]
