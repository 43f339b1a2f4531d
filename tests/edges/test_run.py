"""`./run` needs only Python, sets up once, heals what is broken, and then steps out of the way."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edges.places import ROOT

UNIX = ["sh", "cat", "cksum", "dirname", "grep", "ln", "mkdir", "readlink", "rm", "sleep"]
PYTHON_WITHOUT_VENV = f"""#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; esac
exec {sys.executable} "$@"
"""
UV = f"""#!/bin/sh
[ "$1" = --version ] && exit
echo "$*" >>"$UV_LOG"
case "$*" in
    venv*) mkdir -p .venv/bin && ln -s {sys.executable} .venv/bin/python ;;
    *--no-deps*) sleep 0.2; cat "$UV_LOG.doorkey" >.venv/bin/doorkey && chmod +x .venv/bin/doorkey ;;
    *) [ ! -e broken ] ;;
esac
"""
DOORKEY = """#!/bin/sh
echo "$PWD: $*"
"""


class Checkout:
    """A copy of what `./run` reads, in a path with a space, with a PATH that holds only what a test put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout"
        self.programs = folder / "bin"
        self.log = folder / "uv.log"
        (self.folder / "src").mkdir(parents=True)
        self.programs.mkdir()
        for name in ("run", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)
        for name in [*UNIX, "chmod"]:
            (self.programs / name).symlink_to(shutil.which(name) or name)

    def install(self, name: str, script: str) -> None:
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o755)

    def install_uv(self) -> None:
        self.install("uv", UV)
        self.install("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        Path(f"{self.log}.doorkey").write_text(DOORKEY)

    def start(self, *arguments: str, program: Path | None = None, **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": str(self.programs), "UV_LOG": str(self.log), **variables}
        command = [str(program or self.folder / "run"), *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str, program: Path | None = None, **variables: str) -> tuple[int, str, str]:
        started = self.start(*arguments, program=program, **variables)
        out, err = started.communicate()
        return started.returncode, out, err

    def calls_of_uv(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """A checkout that has been set up once, with the record of it thrown away."""
    checkout.install_uv()
    assert checkout.run("accounts")[0] == 0
    checkout.log.unlink()
    return checkout


def test_without_python_one_line_says_what_is_needed(checkout):
    code, out, err = checkout.run()

    assert (code, out) == (1, "")
    assert err.startswith("Doorkey needs Python 3.11 or later.")
    assert err.count("\n") == 1


def test_a_python_that_was_named_and_is_too_old_is_not_passed_over(checkout):
    checkout.install("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    checkout.install("old", "#!/bin/sh\nexit 1\n")

    code, _, err = checkout.run(PYTHON="old")

    assert code == 1
    assert "PYTHON=old is not" in err


def test_without_venv_the_one_line_installs_it(checkout):
    checkout.install("python3", PYTHON_WITHOUT_VENV)

    code, out, err = checkout.run()

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (code, out) == (1, "")
    assert err.endswith(f"Run: sudo apt-get install python{version}-venv\n")
    assert err.count("\n") == 1


def test_a_first_start_sets_up_and_leaves_stdout_to_the_command(checkout):
    checkout.install_uv()

    code, out, err = checkout.run()

    assert (code, out) == (0, f"{checkout.folder}: open\n")
    assert "Setting up" in err


def test_a_second_start_does_no_work(ready):
    code, out, err = ready.run("token", "open ai")

    assert (code, out, err) == (0, f"{ready.folder}: token open ai\n", "")
    assert ready.calls_of_uv() == 0


def test_changed_pins_bring_the_environment_up_to_date_without_making_it_anew(ready):
    (ready.folder / "requirements.txt").write_text("")

    ready.run("accounts")

    assert [line.split()[0] for line in ready.log.read_text().splitlines()] == ["pip", "pip"]


def test_a_set_up_that_broke_off_is_made_anew(ready):
    (ready.folder / "requirements.txt").write_text("")
    (ready.folder / "broken").touch()
    failed, _, _ = ready.run("accounts")
    (ready.folder / "broken").unlink()
    ready.log.unlink()

    code, _, _ = ready.run("accounts")

    assert (failed, code) == (1, 0)
    assert ready.log.read_text().startswith("venv")


def test_a_checkout_that_was_moved_is_set_up_anew(ready):
    ready.folder = ready.folder.rename(ready.folder.with_name("elsewhere"))

    code, out, _ = ready.run("accounts")

    assert (code, out) == (0, f"{ready.folder}: accounts\n")
    assert ready.log.read_text().startswith("venv")


def test_a_python_that_is_gone_is_replaced(ready):
    (ready.folder / ".venv/bin/python").unlink()
    (ready.folder / ".venv/bin/python").symlink_to("/nowhere/python3")

    code, _, _ = ready.run("accounts")

    assert code == 0
    assert (ready.folder / ".venv/bin/python").exists()


def test_it_runs_through_a_link_from_anywhere(ready, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(Path("a checkout") / "run")

    code, out, _ = ready.run("accounts", program=link)

    assert (code, out) == (0, f"{ready.folder}: accounts\n")


def test_two_first_starts_at_once_set_up_once(checkout):
    checkout.install_uv()

    starts = [checkout.start("accounts") for _ in range(2)]
    for start in starts:
        start.communicate()

    assert [start.returncode for start in starts] == [0, 0]
    assert checkout.calls_of_uv() == 3, "venv, the pins, the project"


def test_the_lock_of_the_set_up_does_not_outlive_it(checkout):
    checkout.install_uv()
    Path(f"{checkout.log}.doorkey").write_text("#!/bin/sh\n[ ! -e /proc/self/fd/9 ] && [ ! -e /dev/fd/9 ]\n")

    code, _, _ = checkout.run()

    assert code == 0
