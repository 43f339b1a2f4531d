import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from doorkey.domain.network import USUAL, Network, Road
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable
from doorkey.flows.steps import Request, Response
from doorkey.service.reachability import PATIENCE, Reachability
from doorkey.testing.clock import FakeClock
from doorkey.testing.values import NOON
from tests.service.fakes import ACME, KEY, LOCAL, OAUTH, OTHER, FakeCatalog

SANDBOX = replace(LOCAL, id="sandbox")
OFFLINE = ProviderUnavailable("It cannot be found.", hint="Connect.")


@dataclass
class Endpoints:
    """Fill `ports.Transport`: some hosts answer, nobody else does; remembers what it was asked."""

    answering: dict[str, timedelta] = field(default_factory=dict)
    error: ProviderUnavailable = OFFLINE
    asked: list[Request] = field(default_factory=list)

    def send(self, request):
        self.asked.append(request)
        host = request.url.split("/")[2].partition(":")[0]
        if host not in self.answering:
            raise self.error
        return Response(status=401, headers={"date": format_datetime(NOON - self.answering[host])}, body=b"")


@dataclass
class FakeRoads:
    """Fill `ports.Roads`."""

    proxy: str | None = None

    def to(self, url, network):
        named = network.proxy or (self.proxy and Secret(self.proxy))
        return Road(host=url.split("/")[2].partition(":")[0], why="test", proxy=named or None)

    def trusted(self, network):
        if network.ca_bundle == "broken":
            raise ProviderUnavailable("It cannot be read.", hint="Check it.")
        return network.ca_bundle or "the store"


def reachability(*methods, providers=(ACME, OTHER, LOCAL), endpoints=None, roads=None, every=False):
    return Reachability(
        catalog=FakeCatalog(providers),
        used=lambda: methods,
        transport=endpoints or Endpoints(),
        roads=roads or FakeRoads(),
        clock=FakeClock(),
        every=every,
    )


def found_at(endpoints, *methods, **options):
    return list(reachability(*methods, endpoints=endpoints, **options).endpoints())


def asked(endpoints):
    return [request.url for request in endpoints.asked]


BOTH = {"api.example": timedelta(0), "issuer.example": timedelta(0)}


def test_nobody_is_asked_without_an_account_or_a_key():
    endpoints = Endpoints()

    [found] = found_at(endpoints)

    assert (endpoints.asked, found.ok) == ([], True)
    assert "--all" in found.text


def test_an_accounts_models_and_token_addresses_are_asked_once_and_get_no_credential():
    endpoints = Endpoints(BOTH)

    found = found_at(endpoints, ("acme", OAUTH.id), ("acme", KEY.id))

    assert sorted(asked(endpoints)) == ["https://api.example:443/", "https://issuer.example:443/"]
    assert {(request.method, request.timeout) for request in endpoints.asked} == {("HEAD", PATIENCE)}
    assert not any(request.headers or request.form or request.json for request in endpoints.asked)
    assert [each.ok for each in found] == [True, True, True]
    assert "acme models: api.example answers in 0.00 s" in found[0].text
    assert "acme sign-in: issuer.example answers" in found[1].text


def test_a_refusal_is_an_answer():
    [found, _] = found_at(Endpoints(BOTH), ("acme", KEY.id))

    assert found.ok


def test_all_asks_every_provider_by_the_methods_that_are_switched_on():
    elsewhere = Method(id="off", kind=OAUTH.kind, name="Off", enabled=False, token_url="https://off.example/token")
    endpoints = Endpoints()

    found_at(endpoints, providers=(replace(ACME, methods=(*ACME.methods, elsewhere)), OTHER), every=True)

    hosts = {url.split("/")[2] for url in asked(endpoints)}
    assert hosts == {"api.example:443", "issuer.example:443", "other.example:443"}


def test_an_address_that_one_of_its_methods_needs_is_needed():
    both = replace(LOCAL, methods=(KEY, *LOCAL.methods))

    [found, *_] = found_at(Endpoints(), ("local", "none"), providers=(both,), every=True)

    assert not found.ok


def test_an_address_that_does_not_answer_comes_with_its_remedy():
    found = found_at(Endpoints({"issuer.example": timedelta(0)}), ("acme", OAUTH.id))

    assert [(each.ok, each.fix) for each in found] == [(False, "Connect."), (True, None), (True, None)]
    assert found[0].text == "acme models: It cannot be found."


def test_without_a_network_it_is_said_once_and_plainly():
    [found, clock] = found_at(Endpoints(), ("acme", OAUTH.id))

    assert (found.ok, found.fix) == (False, "Connect.")
    assert found.text == (
        "None of 2 addresses of providers was reached. It cannot be found. This computer seems to be offline."
    )
    assert clock.ok


def test_behind_a_proxy_that_lets_nobody_through_nobody_is_called_offline():
    [found, _] = found_at(Endpoints(), ("acme", OAUTH.id), roads=FakeRoads("http://proxy:1"))

    assert "offline" not in found.text


def test_the_way_is_told_where_a_proxy_stands_in_it():
    secret = FakeRoads("http://ann:pw@proxy.example:3128")

    [found, _] = found_at(Endpoints(BOTH), ("acme", KEY.id), roads=secret)

    assert "answers through http://********@proxy.example:3128 in" in found.text


def test_the_addresses_are_asked_side_by_side():
    together = threading.Barrier(3, timeout=10)

    class Slow(Endpoints):
        def send(self, request):
            together.wait()
            return super().send(request)

    found_at(Slow(), ("acme", OAUTH.id), ("other", KEY.id))

    assert not together.broken


def test_a_local_server_that_an_account_needs_has_to_run():
    [found, *_] = found_at(Endpoints(), ("local", "none"))

    assert (found.ok, found.fix) == (False, "Connect.")


@pytest.mark.parametrize(
    ("provider", "used", "text"),
    [(LOCAL, (), "not running at http://127.0.0.1:9"), (SANDBOX, ("none",), "starts when")],
)
def test_a_local_server_that_nobody_needs_or_that_starts_by_itself_may_rest(provider, used, text):
    methods = [(provider.id, method) for method in used]

    [found, *_] = found_at(Endpoints(), *methods, providers=(provider,), every=True)

    assert found.ok
    assert text in found.text


def test_a_name_that_only_begins_like_this_machine_is_another():
    elsewhere = replace(LOCAL, api=replace(LOCAL.api, base_url="https://localhost.example/v1"))

    [found, *_] = found_at(Endpoints(), providers=(elsewhere,), every=True)

    assert not found.ok


@pytest.mark.parametrize(
    ("skew", "ok", "text"),
    [
        (timedelta(seconds=59), True, "agrees with api.example"),
        (timedelta(minutes=5), False, "this computer is 300 s ahead of api.example"),
        (-timedelta(minutes=5), False, "this computer is 300 s behind api.example"),
    ],
)
def test_the_clock_is_compared_with_one_that_answers(skew, ok, text):
    [_, clock] = found_at(Endpoints({"api.example": skew}), ("acme", KEY.id))

    assert (clock.check, clock.ok, clock.text) == ("clock", ok, text)
    assert bool(clock.fix) is not ok


def test_a_date_that_is_none_is_no_clock():
    class Odd(Endpoints):
        def send(self, request):
            return Response(status=200, headers={"date": "yesterday"}, body=b"")

    [_, clock] = found_at(Odd(), ("acme", KEY.id))

    assert clock.text.startswith("compared with nobody")


def test_each_network_is_told_with_who_chose_it():
    own = replace(ACME, network=Network(proxy=Secret("http://ann:pw@own:1"), ca_bundle="own.pem"))

    found = list(reachability(providers=(own, OTHER)).networks())

    assert [(each.check, each.text) for each in found] == [
        ("proxy", "none (test)"),
        ("trust", "the store"),
        ("proxy", "acme: http://********@own:1 (test)"),
        ("trust", "acme: own.pem"),
    ]


def test_a_bundle_that_cannot_be_read_is_a_fault():
    broken = replace(ACME, network=Network(ca_bundle="broken"))

    found = list(reachability(providers=(broken,)).networks())

    assert (found[-1].ok, found[-1].text, found[-1].fix) == (False, "acme: It cannot be read.", "Check it.")


def test_a_proxy_that_cannot_be_used_is_a_fault_and_the_rest_is_told():
    class Wrong(FakeRoads):
        def to(self, url, network):
            raise ProviderUnavailable("The proxy cannot be used.", hint="Check HTTPS_PROXY.")

    surveyed = reachability(("acme", KEY.id), roads=Wrong())
    found = [*surveyed.networks(), *surveyed.endpoints()]

    assert [(each.check, each.ok) for each in found] == [
        ("proxy", False),
        ("trust", True),
        ("reach", False),
        ("clock", True),
    ]


def test_the_usual_network_is_not_told_twice():
    assert len(list(reachability(providers=(replace(ACME, network=USUAL),)).networks())) == 2
