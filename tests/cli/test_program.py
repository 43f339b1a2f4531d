"""The program as it is started by people and scripts."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from doorkey.testing.practice import approve

PROGRAM = str(Path(sys.executable).with_name("doorkey"))
HEAVY = [
    *("anthropic", "httpx2", "openai", "pydantic", "pydantic_ai", "starlette", "uvicorn"),
    *("asyncio", "difflib", "email.parser", "http.client", "ssl"),
]
KEY = {"ACME_API_KEY": "key-from-outside"}


def run(*arguments, **environment):
    return subprocess.run(
        [PROGRAM, *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_version_names_the_program():
    shown = run("--version")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("doorkey ")


def test_the_module_is_the_program():
    shown = subprocess.run([sys.executable, "-m", "doorkey", "--help"], capture_output=True, text=True, check=True)

    assert shown.stdout.startswith("Usage: doorkey ")


@pytest.mark.usefixtures("config")
def test_a_token_is_printed_without_loading_anything_heavy():
    code = f"""
import sys
from doorkey.cli.main import open_house, start
from doorkey.cli.io import Io
from doorkey.cli.shell import Shell
assert start(["token", "acme"], Shell(Io.of_process(), open_house)) == 0
print(sorted(set({HEAVY}) & set(sys.modules)))
"""

    shown = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | KEY, capture_output=True, text=True, check=True
    )

    assert shown.stdout == "key-from-outside\n[]\n"


@pytest.mark.usefixtures("config")
def test_a_sign_in_by_paste_then_a_token_then_the_end():
    with subprocess.Popen(
        [PROGRAM, "login", "acme", "--paste", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as login:
        begun = json.loads(login.stdout.readline())
        rest, told = login.communicate(approve(begun["url"]) + "\n", timeout=60)
    token = run("token", "acme")
    listed = run("accounts", "--json")
    left = run("logout", json.loads(rest)["account"]["id"], "--revoke")

    assert (login.returncode, json.loads(rest)["event"]) == (0, "signed_in")
    assert "paste the address" in told
    assert (token.returncode, token.stderr, token.stdout.count("\n")) == (0, "", 1)
    assert len(token.stdout) > 20
    assert json.loads(listed.stdout)["accounts"] == [json.loads(rest)["account"]]
    assert (left.returncode, left.stdout) == (0, "")


@pytest.mark.usefixtures("config")
def test_a_reader_that_leaves_is_no_reason_to_complain():
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "wb") as closed:
        shown = subprocess.run(
            [PROGRAM, "token", "acme"], env=os.environ | KEY, stdout=closed, stderr=subprocess.PIPE, check=False
        )

    assert (shown.returncode, shown.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Only Linux has a device that is always full.")
@pytest.mark.usefixtures("config")
def test_a_full_disk_is_told_in_words():
    with Path("/dev/full").open("wb") as full:
        shown = subprocess.run(
            [PROGRAM, "token", "acme"], env=os.environ | KEY, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert shown.returncode == 1
    assert shown.stderr.startswith(b"error: No space left on device.\n")
    assert b"Traceback" not in shown.stderr
    assert b"Exception ignored" not in shown.stderr


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_reason_to_fail(closed):
    shown = subprocess.run(
        ["sh", "-c", f'"$0" providers {closed}', PROGRAM], capture_output=True, text=True, check=False
    )

    assert (shown.returncode, shown.stderr) == (0, "")


def test_the_practice_provider_says_where_it_is_and_ends_on_ctrl_c():
    with subprocess.Popen(
        [PROGRAM, "sandbox", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sandbox:
        url = sandbox.stdout.readline().strip()
        sandbox.send_signal(signal.SIGINT)
        _, told = sandbox.communicate(timeout=60)

    assert url.startswith("http://127.0.0.1:")
    assert sandbox.returncode == 0
    assert "Traceback" not in told


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells the limits of another process")
def test_no_core_dump_can_hold_what_is_secret():
    raised = 'ulimit -S -c "$(ulimit -H -c)"; exec "$0" sandbox --port 0'
    with subprocess.Popen(["sh", "-c", raised, PROGRAM], stdout=subprocess.PIPE, text=True) as sandbox:
        sandbox.stdout.readline()
        limits = Path(f"/proc/{sandbox.pid}/limits").read_text()
        sandbox.send_signal(signal.SIGINT)
        sandbox.communicate(timeout=60)

    assert re.search(r"Max core file size +0 +0 ", limits)
