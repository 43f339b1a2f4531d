import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.agent.command import run_command
from doorkey.agent.confinement import Confinement, detect, scrubbed
from doorkey.agent.fence import Folder


def plant(place: Path, script: str) -> dict[str, str]:
    """Put a program named bwrap on a PATH of its own."""
    place.mkdir()
    (place / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (place / "bwrap").chmod(0o755)
    return {"PATH": f"{place}:/usr/bin:/bin"}


@given(st.dictionaries(st.sampled_from(["OPENAI_API_KEY", "PATH", "DOORKEY_KEY", "LC_ALL", "X"]), st.text()))
def test_only_harmless_variables_are_passed_on(environment: dict[str, str]):
    assert scrubbed(environment).keys() == environment.keys() & {"PATH", "LC_ALL"}


def test_without_bubblewrap_the_card_says_that_nothing_confines(folder: Folder, tmp_path: Path):
    confinement = detect({"PATH": str(tmp_path)})

    assert confinement.sentence.startswith(
        "This command is not confined by Doorkey, because bubblewrap is not installed"
    )
    assert confinement.wrap(folder, ["/bin/sh"]) == ["/bin/sh"]


def test_a_bubblewrap_that_cannot_run_here_is_not_relied_on(folder: Folder, tmp_path: Path):
    confinement = detect(plant(tmp_path / "bin", "exit 1"))

    assert "not confined by Doorkey, because bubblewrap is installed but cannot run here" in confinement.sentence
    assert confinement.wrap(folder, ["/bin/sh"]) == ["/bin/sh"]


def test_a_file_that_is_no_program_is_not_relied_on(tmp_path: Path):
    environment = plant(tmp_path / "bin", "")
    (tmp_path / "bin" / "bwrap").write_bytes(b"\x7fELF nonsense")

    assert detect(environment).program is None


def test_a_working_bubblewrap_gets_the_command_behind_its_own_arguments(root: Path, tmp_path: Path):
    vault = tmp_path / "vault"
    vault.mkdir()
    confinement = detect(plant(tmp_path / "bin", "exit 0"))

    arguments = confinement.wrap(Folder.open(root, guarded=[vault]), ["/bin/sh", "-c", "--bind / /"])

    assert confinement.sentence.startswith("Runs under bubblewrap")
    assert arguments[-4:] == ["--", "/bin/sh", "-c", "--bind / /"]
    assert " ".join(arguments[:-4]).endswith(f"--bind . {root} --tmpfs {vault} --chdir {root}")


def test_other_programs_logins_are_hidden_but_not_around_the_chosen_folder(home: Path, tmp_path: Path):
    for place in (home / ".aws", home / ".codex" / "project"):
        place.mkdir(parents=True)
    (home / ".netrc").touch()
    confinement = detect(plant(tmp_path / "bin", "exit 0"))

    line = " ".join(confinement.wrap(Folder.open(home / ".codex" / "project"), ["x"]))

    assert f"--tmpfs {home / '.aws'}" in line
    assert f"--ro-bind /dev/null {home / '.netrc'}" in line
    assert f"--tmpfs {home / '.codex'}" not in line


@pytest.fixture
def here() -> Confinement:
    return detect(os.environ)


async def test_what_a_command_reaches_is_what_the_card_says(here: Confinement, root: Path, tmp_path: Path):
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "vault.db").write_text("canary")
    folder = Folder.open(root, guarded=[vault])

    outcome = await run_command(
        folder, f"cat {vault}/vault.db; echo x > {tmp_path}/made; echo y > made", confinement=here
    )

    confined = here.sentence.startswith("Runs under bubblewrap")
    assert ("canary" in outcome.output) is not confined
    assert (tmp_path / "made").exists() is not confined
    assert (root / "made").read_text() == "y\n"


async def test_whether_a_command_sees_our_processes_is_what_the_card_says(here: Confinement, folder: Folder):
    outcome = await run_command(folder, f"kill -0 {os.getpid()} && echo seen", confinement=here)

    assert ("seen" in outcome.output) is (here.program is None)
