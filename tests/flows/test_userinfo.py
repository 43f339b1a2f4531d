from dataclasses import replace

import pytest

from doorkey.domain.attempt import Status
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable, SignInFailed
from doorkey.flows import device_code
from doorkey.flows.steps import Sleep
from doorkey.testing.script import ISSUER, METHOD, Caller, answer
from tests.flows.test_device_code import GIVEN, plan_for

GITHUB = replace(
    METHOD,
    device_url=f"{ISSUER}/login/device/code",
    userinfo_url=f"{ISSUER}/user",
    scopes=("read:user",),
    issuer=ISSUER,
)
TOKEN = answer(200, {"access_token": "gho-1", "token_type": "bearer", "scope": "read:user"})
ADA = {"id": 583231, "login": "ada", "name": "Ada Lovelace", "email": None}


def sign_in(world, *answers):
    world.endpoints.scripted = [answer(200, GIVEN), TOKEN, *answers]
    attempt = world.run(device_code.begin(plan_for(GITHUB)))
    return attempt, Caller(world, device_code.poll(plan_for(GITHUB), attempt, attempt.device))


def test_github_says_who_signed_in(world):
    _, caller = sign_in(world, answer(200, ADA))

    account = caller.finish()

    assert account.identity.key == (ISSUER, "583231", None)
    assert account.label == "ada"
    asked = world.endpoints.requests[-1]
    assert (asked.method, asked.url) == ("GET", f"{ISSUER}/user")
    assert asked.headers["authorization"] == Secret("Bearer gho-1")


def test_a_token_that_never_ends_is_kept_as_one(world):
    _, caller = sign_in(world, answer(200, ADA))

    account = caller.finish()

    assert (account.expires_at, account.renews) == (None, False)
    assert world.stands(account.id).tokens.refresh is None


def test_userinfo_of_openid_connect_is_read_too(world):
    _, caller = sign_in(world, answer(200, {"sub": "subject-1", "email": "ada@example.com"}))

    account = caller.finish()

    assert (account.identity.subject, account.label) == ("subject-1", "ada@example.com")


def test_a_short_fault_does_not_cost_the_tokens(world):
    _, caller = sign_in(world, answer(502), ProviderUnavailable("No answer."), answer(200, ADA))

    assert caller.finish().label == "ada"
    assert [step.span.total_seconds() for step in caller.taken if isinstance(step, Sleep)] == [5, 1, 1]


def test_a_lasting_fault_ends_the_sign_in(world):
    attempt, caller = sign_in(world, answer(502), answer(502), answer(502))

    with pytest.raises(ProviderUnavailable):
        caller.finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.ports.accounts.all() == []


@pytest.mark.parametrize("told", [answer(401), answer(403), answer(200, {}), answer(200, {"id": True, "login": "ada"})])
def test_an_account_of_nobody_is_not_kept(world, told):
    attempt, caller = sign_in(world, told)

    with pytest.raises(SignInFailed, match="who signed in"):
        caller.finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.ports.accounts.all() == []
