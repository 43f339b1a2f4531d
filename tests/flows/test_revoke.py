from dataclasses import replace

import pytest

from doorkey.domain.account import Origins
from doorkey.errors import Misconfigured, OriginChanged, ProviderUnavailable
from doorkey.flows.revoke import revoke
from doorkey.flows.steps import Send
from doorkey.testing.script import METHOD, Caller, answer
from doorkey.testing.values import held, some_tokens

ORIGINS = Origins(
    api="https://api.example:443", token="https://issuer.example:443", revoke="https://issuer.example:443"
)


def test_the_refresh_token_is_revoked_since_it_ends_the_rest(world):
    world.run(revoke(held(origins=ORIGINS), METHOD))

    (request,) = world.endpoints.requests
    assert request.url == METHOD.revoke_url
    assert request.form["token"] == some_tokens().refresh
    assert request.form["token_type_hint"] == "refresh_token"


def test_without_a_refresh_token_the_access_token_is_revoked(world):
    world.run(revoke(held(replace(some_tokens(), refresh=None), origins=ORIGINS), METHOD))

    assert world.endpoints.requests[0].form["token"] == some_tokens().access
    assert world.endpoints.requests[0].form["token_type_hint"] == "access_token"


@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_what_the_provider_does_not_confirm_is_told(world, status):
    world.endpoints.scripted = [answer(status, retry_after="7")]

    with pytest.raises(ProviderUnavailable) as caught:
        world.run(revoke(held(origins=ORIGINS), METHOD))

    assert caught.value.retry_after == 7


def test_a_token_never_goes_to_another_address_than_it_was_made_for(world):
    with pytest.raises(OriginChanged):
        world.run(revoke(held(origins=replace(ORIGINS, revoke="https://elsewhere.example:443")), METHOD))

    assert world.endpoints.requests == []


def test_a_method_without_a_revocation_address_says_so(world):
    with pytest.raises(Misconfigured):
        world.run(revoke(held(origins=ORIGINS), replace(METHOD, revoke_url=None)))


def test_giving_up_before_the_request_keeps_the_account(world):
    account = world.keep(origins=ORIGINS)
    caller = Caller(world, revoke(world.stands(account.id), METHOD))
    caller.reach(Send)

    caller.cancel()

    assert world.stands(account.id).tokens == some_tokens()
    assert world.endpoints.requests == []
