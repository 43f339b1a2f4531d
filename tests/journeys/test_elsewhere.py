"""A browser on another computer, and a computer without IPv4: each in a network namespace of its own."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys import elsewhere
from tests.journeys.person import Login
from tests.journeys.program import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.namespaces]


@pytest.fixture
def there(unshared):
    """Run a part of `elsewhere` on another computer, and return the lines that it prints."""

    def run(*arguments):
        command = [*unshared("--net"), sys.executable, str(Path(elsewhere.__file__)), *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    return run


@pytest.fixture
def cable(practice):
    """What leads from the other computer to the provider: networks are apart, files are not."""
    port = urlsplit(practice.url).port
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as end:
        path = Path(folder) / "cable"
        end.bind(str(path))
        end.listen()
        elsewhere.carry(end, lambda: socket.create_connection(("127.0.0.1", port)))
        yield path
        end.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("flags", [("--no-browser",), ("--paste",)])
def test_the_address_that_a_browser_elsewhere_ends_at_is_pasted(program, practice, there, cable, flags):
    login = Login(program, "acme", *flags)

    found, reply = there("browse", cable, urlsplit(practice.url).port, login.url)
    login.paste(reply)

    ended = login.end()
    assert (found, ended.code, ended.events[-1]["event"]) == ("nobody waits", 0, "signed_in")


def test_localhost_is_enough_where_there_is_only_ipv6(there):
    assert there("listen-without-ipv4", "localhost") == ["Arrived"]


def test_a_redirect_to_an_address_that_is_not_there_leads_to_the_paste(there):
    (hint,) = there("listen-without-ipv4", "127.0.0.1")

    assert "paste" in hint
