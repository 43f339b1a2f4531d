"""Two replicas over one database as real processes: what one leaves behind when it is killed, the other shows."""

import base64
import os
import re
import signal
import threading
from datetime import timedelta

import psycopg
import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in
from tests.journeys.program import PATIENCE, Program
from tests.journeys.test_secrets import Witness, caught, running
from tests.journeys.test_two_machines import until
from tests.journeys.test_versions import content

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def replicas(home, practice, postgres_url):
    """Two homes that share a database and a key."""
    environ = {"DOORKEY_DATABASE_URL": postgres_url, "DOORKEY_KEY": base64.b64encode(os.urandom(32)).decode()}
    both = [Program(home / name, dict(environ)) for name in ("one", "other")]
    for each in both:
        each.configure(config(practice.url))
    sign_in(both[0], "acme")
    return both


def test_an_answer_whose_replica_is_killed_ends_as_interrupted_on_the_page_of_the_other(replicas, practice):
    one, other = replicas
    practice.sandbox.faults.add("slow", endpoint="model", seconds=PATIENCE)
    with running(one, Witness()) as maker, running(other, Witness()) as reader:
        maker.enter()
        reader.enter()
        opened = maker.ask("POST", "/chats", prompt="Hello", model="acme:practice-small")
        chat = opened.headers["hx-redirect"]
        until(lambda: not practice.sandbox.faults.waiting())
        before = reader.ask("GET", chat).text
        run = re.search(r"/runs/([\w-]+)/", before)[1]
        seen = []
        following = threading.Thread(target=lambda: seen.append(reader.ask("GET", f"/runs/{run}/stream").text))
        following.start()

        maker.process.send_signal(signal.SIGKILL)
        following.join(PATIENCE)

        after = reader.ask("GET", chat).text
    assert len(seen) == 1
    assert "interrupted" not in before.lower()
    assert "interrupted" in after.lower()


def test_who_reads_the_shared_database_or_a_backup_of_it_reads_no_secret(replicas, practice, wire, postgres_url):
    one, other = replicas
    key = practice.sandbox.make_key()
    one.grow_old(before_its_end=timedelta(0))
    one.run("login", "acme", "--method", "api-key", "--name", "keyed", stdin=f"{key}\n")
    codes = other.run("key", "rotate").out.split()
    assert other.run("chat", "--model", "acme:practice-small", "--account", "keyed", "hello").code == 0
    with other.house() as house:
        waiting = house.services.sign_ins.start("acme")
        secrets = caught(wire).all | {key, one.environ["DOORKEY_KEY"], *codes, waiting.url.partition("state=")[2][:20]}
        with psycopg.connect(postgres_url) as reader:
            everything = str([content(reader, schema) for schema in ("doorkey_vault", "doorkey_app")])

    assert one.run("token", "acme").code == 0
    assert "ada@practice.example" in everything
    assert "hello" in everything
    assert len(codes) == 1
    assert Witness({"the database": everything}).leaks(secrets) == []
