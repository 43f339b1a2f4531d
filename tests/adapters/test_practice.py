from dataclasses import replace
from pathlib import Path

import pytest

from doorkey.adapters.practice import PracticeStarter, PracticeTransport
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows.steps import Request
from doorkey.providers.openai import OPENAI
from doorkey.providers.sandbox import PORT, SANDBOX
from doorkey.sandbox.server import start
from doorkey.testing.script import answer

HEALTHY = answer(200, {"sandbox": "doorkey", "version": 1})
NOBODY = ProviderUnavailable("no way there")


class Port:
    """Fill `ports.Transport` for one port of this machine: nobody is there until somebody serves."""

    def __init__(self, served=NOBODY):
        self.served = served
        self.starts = []
        self.asked = []

    def send(self, request):
        self.asked.append(request.url)
        if isinstance(self.served, Exception):
            raise self.served
        return self.served

    def start(self, port):
        if self.served is not NOBODY:
            raise OSError("the port is taken")
        self.starts.append(port)
        self.served = HEALTHY


def starter(port):
    return PracticeStarter(port, port.start)


def test_the_practice_provider_is_started_on_its_port_once():
    port = Port()
    practice = starter(port)

    practice.ensure(SANDBOX)
    practice.ensure(SANDBOX)

    assert port.starts == [PORT]
    assert port.asked == [f"http://127.0.0.1:{PORT}/sandbox/health"]


def test_one_that_is_served_already_is_left_alone():
    port = Port(HEALTHY)

    starter(port).ensure(SANDBOX)

    assert port.starts == []


def test_no_other_provider_starts_anything():
    port = Port()

    starter(port).ensure(OPENAI)

    assert (port.starts, port.asked) == ([], [])


@pytest.mark.parametrize(
    "served", [answer(404), answer(200, b"<html>"), answer(200, b"[]"), answer(200, {"sandbox": "other"})]
)
def test_another_program_on_the_port_is_named_and_not_used(served):
    with pytest.raises(Misconfigured, match=f"Port {PORT} is taken"):
        starter(Port(served)).ensure(SANDBOX)


def test_two_starts_at_once_share_the_one_that_won():
    port = Port()

    def lose(_port):
        port.served = HEALTHY
        raise OSError("the port is taken")

    PracticeStarter(port, lose).ensure(SANDBOX)

    assert len(port.asked) == 2


def test_the_address_of_the_config_is_the_one_that_is_served():
    port = Port()
    elsewhere = replace(SANDBOX, api=replace(SANDBOX.api, base_url="http://127.0.0.1:4321/v1"))

    starter(port).ensure(elsewhere)

    assert port.starts == [4321]


def test_the_real_one_answers_as_it_is_asked(transport):
    running = start()
    served = replace(SANDBOX, api=replace(SANDBOX.api, base_url=f"{running.url}/v1"))
    starts: list[int] = []

    PracticeStarter(transport, starts.append).ensure(served)
    running.stop()

    assert starts == []


@pytest.fixture
def transport():
    from doorkey.adapters.http.client import HttpTransport
    from doorkey.adapters.http.roads import Roads

    return HttpTransport(Roads({}, Path()))


@pytest.mark.parametrize(
    ("url", "starts"), [(f"http://127.0.0.1:{PORT}/token", [PORT]), ("https://a.example/token", [])]
)
def test_a_transport_starts_it_only_for_what_is_sent_there(url, starts):
    port = Port()
    inner = Port(answer())
    transport = PracticeTransport(inner, starter(port), SANDBOX)

    response = transport.send(Request(method="POST", url=url))

    assert response == answer()
    assert port.starts == starts
    assert inner.asked == [url]
