"""What git keeps is true on every machine: no registry's host, no path of the machine it was written on."""

import os
import pwd
import re
from pathlib import Path

from tests.edges.places import ROOT, tracked

REGISTRIES = re.compile(rb"//[\w.-]*(pypi|pythonhosted|npmjs|yarnpkg|registry|proxy\.golang)[\w.-]*")


def places_of(pattern: re.Pattern[bytes]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in tracked() if pattern.search(path.read_bytes())]


def test_no_file_names_a_registry():
    assert places_of(REGISTRIES) == []


def test_no_file_names_the_folder_it_was_written_in():
    folders = [ROOT, Path(pwd.getpwuid(os.getuid()).pw_dir)]
    own = "|".join(re.escape(f"{folder}/") for folder in folders if folder.name)

    assert places_of(re.compile(rf"(?<![\w.$}}])({own})".encode())) == []
