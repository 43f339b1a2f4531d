import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from doorkey.adapters.instance import LONGEST_PATH, Instance, ask, socket_path
from doorkey.errors import StorageFull

# What a process prints whose temporary folder is the one that a test gives it.
ELSEWHERE = """
import sys
from pathlib import Path
from doorkey.adapters.instance import Instance, ask, socket_path
from doorkey.errors import StorageFull
folder = Path(sys.argv[1])
try:
    instance = Instance(folder, lambda: "http://127.0.0.1:1/")
    print(socket_path(folder), ask(folder))
    instance.close()
except StorageFull as error:
    print(error)
"""


@pytest.fixture
def folder():
    """A folder with a short path, as a socket needs it."""
    with tempfile.TemporaryDirectory(prefix="dk") as name:
        yield Path(name)


@pytest.fixture
def running(folder):
    urls = iter(f"http://127.0.0.1:1/launch?token={number}" for number in range(10))
    instance = Instance(folder, lambda: next(urls))
    yield instance
    instance.close()


def in_a_process(folder, temporary):
    arguments = [sys.executable, "-c", ELSEWHERE, str(folder)]
    environment = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_a_second_start_is_given_a_url_of_its_own(folder, running):
    assert [ask(folder), ask(folder)] == ["http://127.0.0.1:1/launch?token=0", "http://127.0.0.1:1/launch?token=1"]


def test_only_the_person_can_open_the_socket(folder, running):
    assert stat.S_IMODE(socket_path(folder).stat().st_mode) == 0o600


def test_nobody_answers_where_nothing_runs(folder):
    assert ask(folder) is None


def test_what_a_crash_left_behind_is_replaced(folder):
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(socket_path(folder)))
    left.close()
    assert ask(folder) is None

    instance = Instance(folder, lambda: "http://127.0.0.1:1/")

    assert ask(folder) == "http://127.0.0.1:1/"
    instance.close()


def test_after_the_end_nobody_answers_and_nothing_is_left(folder, running):
    running.close()
    running.close()

    assert ask(folder) is None
    assert not socket_path(folder).exists()


@pytest.mark.parametrize("words", [b"", b"what\n", b"open"])
def test_a_caller_that_asks_for_something_else_gets_nothing_and_the_next_is_served(folder, running, words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(20)
        caller.connect(str(socket_path(folder)))
        caller.sendall(words)
        caller.shutdown(socket.SHUT_WR)

        assert caller.recv(1024) == b""

    assert ask(folder) == "http://127.0.0.1:1/launch?token=0"


def test_a_folder_that_is_not_there_holds_no_socket(folder):
    with pytest.raises(StorageFull):
        Instance(folder / "missing", lambda: "")


def test_a_path_that_is_too_long_is_replaced_by_a_private_one(folder):
    long = folder / ("x" * LONGEST_PATH)
    long.mkdir()

    place, url = in_a_process(long, folder).split()

    assert url == "http://127.0.0.1:1/"
    assert Path(place).parent == folder / f"doorkey-{os.getuid()}"
    assert stat.S_IMODE(Path(place).parent.stat().st_mode) == 0o700


def test_a_temporary_folder_that_others_can_enter_is_not_used(folder):
    long = folder / ("x" * LONGEST_PATH)
    long.mkdir()
    (folder / f"doorkey-{os.getuid()}").mkdir(mode=0o755)

    assert "belongs to somebody else" in in_a_process(long, folder)
