"""Two replicas over one database as real processes: what one leaves behind when it is killed, the other shows."""

import base64
import os
import re
import signal
import threading

import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in
from tests.journeys.program import PATIENCE, Program
from tests.journeys.test_secrets import Witness, running
from tests.journeys.test_two_machines import until

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
