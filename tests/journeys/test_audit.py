"""The audit from the outside: each door tells what was done through it, and a process that is killed loses little."""

import signal
import sqlite3
import sys
import time
from contextlib import closing
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.journeys.person import sign_in
from tests.journeys.program import PATIENCE

pytestmark = pytest.mark.slow

KEY = "sk-canary-of-a-key"

# Uses an account and then does nothing more; nobody closes what it opened.
FORGETFUL = """
import time
from doorkey.bootstrap import open_house
from doorkey.service.resolve import Wish

house = open_house()
house.services.sources.of(house.services.resolver.choose(Wish(provider="acme"))).get()
time.sleep(600)
"""
CLIENT = """
import doorkey

client = doorkey.sdk.openai.client("acme")
client.chat.completions.create(model="practice-small", messages=[{"role": "user", "content": "hello"}])
"""


def told(program, *arguments):
    return program.run("audit", "--json", *arguments).json["entries"]


def written(program):
    """Look at the rows as they are on the disk, whatever a process still has in mind."""
    with closing(sqlite3.connect(f"file:{program.home / 'app.db'}?mode=ro", uri=True)) as app:
        return app.execute("SELECT action FROM audit").fetchall()


def until(true):
    """Wait for what must happen, and fail where it does not."""
    patience = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.02)


def keep_key_in_the_app(program):
    """Open the app, keep a key through its page, and end it as a person does."""
    process = program.start("open", "--port", "0", "--no-browser")
    launch = process.stdout.readline().strip()
    address, _, fragment = launch.partition("#")
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(launch))
    headers = {"x-doorkey-key": parse_qs(fragment)["key"][0], "origin": origin}
    with httpx2.Client(timeout=PATIENCE, headers=headers) as http:
        http.get(address)
        body = {"provider": "acme", "method": "api-key", "key": KEY, "no_check": True}
        kept = http.post(f"{origin}/api/keys", json=body)
    process.send_signal(signal.SIGINT)
    program.finish(process)
    assert kept.status_code == 201


def test_every_door_tells_what_was_done_through_it(program):
    sign_in(program, "acme", "--name", "work")
    program.run("token", "acme", "--account", "work")
    program.run("chat", "--model", "acme:practice-small", "--account", "work", "hello")
    ended = program.python(CLIENT)
    keep_key_in_the_app(program)
    program.run("logout", "work", "--revoke")

    entries = told(program)

    assert ended.code == 0, ended
    seen = [(entry["surface"], entry["action"], (entry["detail"] or "").split(" cht_")[0]) for entry in entries]
    assert seen == [
        ("cli", "forgot", "doorkey logout"),
        ("cli", "revoked", "doorkey logout"),
        ("app", "signed_in", ""),
        ("library", "used", "-c"),
        ("cli", "used", "chat"),
        ("cli", "used", "doorkey token"),
        ("cli", "signed_in", "doorkey login"),
    ]
    assert KEY.encode() not in b"".join(path.read_bytes() for path in program.home.glob("app.db*"))


def test_a_process_that_is_killed_has_written_what_is_older_than_a_second(program):
    sign_in(program, "acme")
    process = program._popen([sys.executable, "-c", FORGETFUL], None, {})

    until(lambda: ("used",) in written(program))
    process.kill()
    program.finish(process)

    used, signed_in = told(program)
    assert (used["action"], used["surface"], signed_in["action"]) == ("used", "library", "signed_in")


def test_a_renewal_is_told_of_the_command_that_needed_it(program):
    sign_in(program, "acme")
    program.grow_old(before_its_end=timedelta(minutes=-1))
    program.run("token", "acme")

    used, renewed, _ = told(program)

    assert (used["action"], renewed["action"], renewed["detail"]) == ("used", "renewed", "doorkey token")


def test_an_audit_that_cannot_be_written_is_told_and_keeps_nobody_from_their_token(program):
    sign_in(program, "acme")
    (program.home / "app.db").write_bytes(b"no database at all" * 100)

    printed = program.run("token", "acme")

    assert (printed.code, len(printed.out.split())) == (0, 1)
    assert printed.err == "The audit cannot be written just now: VaultDamaged\n"
