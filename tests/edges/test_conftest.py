"""Every test gets its own home and no way out; what a machine lacks is skipped at a desk and fails in CI."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from tests.edges.places import ROOT

A_TEST_OF_THE_BROWSER = """
import pytest

@pytest.mark.browser
def test_of_the_browser(): ...
"""
A_TEST_OF_THE_DATABASE = A_TEST_OF_THE_BROWSER.replace("browser", "postgres")
A_TEST_OF_NAMESPACES = A_TEST_OF_THE_BROWSER.replace("browser", "namespaces")
A_TEST_OF_THE_ENVIRONMENT = """
import os

def test_of_the_environment(home):
    assert os.environ["HOME"] == str(home)
    assert not {"OPENAI_API_KEY", "https_proxy", "CLAUDE_CODE_OAUTH_TOKEN", "DOORKEY_KEY"} & set(os.environ)
"""


def outcome(folder: Path, text: str, **variables: str) -> str:
    """Run one test in a process of its own, under our conftest, and give pytest's closing line."""
    (folder / "test_made.py").write_text(text)
    arguments = ["--rootdir", str(folder), "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", str(folder)]
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), **variables}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    return ended.stdout.splitlines()[-1]


def test_a_test_of_the_browser_is_skipped_where_there_is_none(tmp_path):
    assert " 1 skipped in " in outcome(tmp_path, A_TEST_OF_THE_BROWSER)


def test_a_test_of_the_browser_fails_in_ci_where_there_is_none(tmp_path):
    assert " 1 error in " in outcome(tmp_path, A_TEST_OF_THE_BROWSER, CI="true")


def test_a_test_of_the_browser_runs_where_one_is_named(tmp_path):
    assert " 1 passed in " in outcome(tmp_path, A_TEST_OF_THE_BROWSER, CI="true", DOORKEY_CHROMIUM=sys.executable)


@pytest.mark.parametrize(("variables", "ending"), [({}, " 1 skipped in "), ({"CI": "true"}, " 1 error in ")])
def test_a_database_that_does_not_answer_is_skipped_at_a_desk_and_fails_in_ci(tmp_path, variables, ending):
    nowhere = "postgresql://127.0.0.1:1/postgres"

    assert ending in outcome(tmp_path, A_TEST_OF_THE_DATABASE, DOORKEY_TEST_POSTGRES=nowhere, **variables)


@pytest.mark.parametrize(("variables", "ending"), [({}, " 1 skipped in "), ({"CI": "true"}, " 1 error in ")])
def test_namespaces_that_are_not_permitted_are_skipped_at_a_desk_and_fail_in_ci(tmp_path, variables, ending):
    assert ending in outcome(tmp_path, A_TEST_OF_NAMESPACES, **variables)


@pytest.mark.postgres
def test_a_database_of_its_own_is_made_for_a_test(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT current_database(), count(*) FROM pg_tables WHERE schemaname = 'public'")

        assert row.fetchone() == (postgres_url.rpartition("/")[2], 0)


def test_no_credential_proxy_or_home_reaches_a_test(tmp_path):
    ambient = {"OPENAI_API_KEY": "k", "https_proxy": "p", "CLAUDE_CODE_OAUTH_TOKEN": "t", "DOORKEY_KEY": "k"}

    assert " 1 passed in " in outcome(tmp_path, A_TEST_OF_THE_ENVIRONMENT, HOME=os.environ["HOME"], **ambient)


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("models.example", 443), ("2001:db8::1", 443)])
def test_another_machine_cannot_be_reached(address):
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.create_connection(address, timeout=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_can_be_reached(host):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection((host, server.getsockname()[1])):
        accepted, _ = server.accept()

    assert accepted.fileno() >= 0
    accepted.close()


def test_a_model_server_of_this_machine_is_nobody_for_a_test():
    with ExitStack() as opened:
        # Where the port is taken, somebody listens there already.
        with suppress(OSError):
            opened.enter_context(socket.create_server(("127.0.0.1", 11434)))

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", 11434))
