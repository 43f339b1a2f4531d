from dataclasses import replace

import pytest

from doorkey.domain.provider import Kind
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows.discovery import discovered
from doorkey.testing.script import ISSUER, METHOD, answer

BARE = replace(METHOD, authorize_url=None, token_url=None, revoke_url=None, scopes=("openid",))
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/oauth/authorize",
    "token_endpoint": f"{ISSUER}/oauth/token",
    "revocation_endpoint": f"{ISSUER}/oauth/revoke",
    "jwks_uri": f"{ISSUER}/jwks",
    "device_authorization_endpoint": f"{ISSUER}/device",
}


def discover(world, method=BARE, **changes):
    world.endpoints.scripted = [answer(200, METADATA | changes)]
    return world.run(discovered(method))


def test_an_issuer_alone_names_every_address(world):
    method = discover(world)

    assert world.endpoints.requests[0].url == f"{ISSUER}/.well-known/openid-configuration"
    assert (method.authorize_url, method.token_url) == (f"{ISSUER}/oauth/authorize", f"{ISSUER}/oauth/token")
    assert (method.revoke_url, method.jwks_url) == (f"{ISSUER}/oauth/revoke", f"{ISSUER}/jwks")
    assert method.device_url == f"{ISSUER}/device"


def test_what_the_config_names_stands_before_what_is_discovered(world):
    method = discover(world, replace(BARE, token_url="https://mine.example/token"))

    assert method.token_url == "https://mine.example/token"
    assert method.authorize_url == f"{ISSUER}/oauth/authorize"


@pytest.mark.parametrize(
    "method",
    [METHOD, replace(BARE, issuer=None), replace(BARE, kind=Kind.API_KEY)],
    ids=["complete", "no issuer", "key"],
)
def test_nobody_is_asked_where_nothing_is_missing_or_known(world, method):
    assert world.run(discovered(method)) is method
    assert world.endpoints.requests == []


@pytest.mark.parametrize("named", ["https://other.example", f"{ISSUER}/", None])
def test_metadata_of_another_issuer_is_refused(world, named):
    with pytest.raises(Misconfigured):
        discover(world, issuer=named)


@pytest.mark.parametrize(
    "address",
    ["http://issuer.example/token", "ftp://issuer.example/token", "token", "https://[", "https://issuer.example:99999"],
)
def test_an_address_that_would_carry_secrets_in_clear_is_refused(world, address):
    with pytest.raises(Misconfigured):
        discover(world, token_endpoint=address)


def test_an_address_that_would_drive_the_terminal_is_refused(world):
    with pytest.raises(Misconfigured):
        discover(world, authorization_endpoint="https://issuer.example/\x1b]0;title\x07")


def test_an_address_that_is_no_text_is_as_good_as_none(world):
    assert discover(world, revocation_endpoint=7).revoke_url is None


@pytest.mark.parametrize("response", [answer(200, b"<html>"), answer(200, b"[]"), answer(503, METADATA)])
def test_metadata_that_cannot_be_read_is_a_fault_that_passes(world, response):
    world.endpoints.scripted = [response]

    with pytest.raises(ProviderUnavailable):
        world.run(discovered(BARE))


def test_a_server_without_openid_connect_is_read_at_its_own_place(world):
    issuer = f"{ISSUER}/tenant"
    world.endpoints.scripted = [answer(404), answer(200, METADATA | {"issuer": issuer})]

    method = world.run(discovered(replace(BARE, issuer=issuer)))

    assert [request.url for request in world.endpoints.requests] == [
        f"{ISSUER}/tenant/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/oauth-authorization-server/tenant",
    ]
    assert method.token_url == f"{ISSUER}/oauth/token"


@pytest.mark.parametrize("status", [404, 403, 410])
def test_an_issuer_without_metadata_is_told_with_what_to_write(world, status):
    world.endpoints.scripted = [answer(status), answer(404)]

    with pytest.raises(ProviderUnavailable) as caught:
        world.run(discovered(BARE))

    assert "name authorize_url, token_url and jwks_url beside it" in caught.value.hint


@pytest.mark.parametrize(
    ("issuer", "named", "words"),
    [(ISSUER, f"{ISSUER}/", "with a slash"), (f"{ISSUER}/", ISSUER, "without a slash")],
)
def test_a_slash_that_is_missed_is_told(world, issuer, named, words):
    with pytest.raises(Misconfigured) as caught:
        discover(world, replace(BARE, issuer=issuer), issuer=named)

    assert words in caught.value.hint


@pytest.mark.parametrize(("said", "always"), [(True, True), (False, False), ("true", False), (None, False)])
def test_the_issuer_says_whether_it_always_names_itself(world, said, always):
    assert discover(world, authorization_response_iss_parameter_supported=said).iss_always_sent is always


def test_the_config_can_demand_what_the_issuer_does_not_promise(world):
    assert discover(world, replace(BARE, iss_always_sent=True)).iss_always_sent
