from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.attempt import Status, handed_callback
from doorkey.domain.provider import Api, Dialect
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable, ReplyRejected, SignInFailed
from doorkey.flows import codex_device
from doorkey.flows.attempts import Plan
from doorkey.flows.steps import Send, Sleep
from doorkey.testing.script import ISSUER, METHOD, Caller, answer
from doorkey.testing.values import NOON, a_device, an_attempt

API = Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_RESPONSES)
CODEX = replace(METHOD, device_url=f"{ISSUER}/api/accounts/deviceauth/usercode")
PLAN = Plan(provider="acme", method=CODEX, api=API, redirect="", host_id="urn:uuid:host")
GIVEN = {"device_auth_id": "auth-id-1", "user_code": "ABCD-1234", "interval": "3"}
CODE = {"authorization_code": "code-1", "code_challenge": "challenge", "code_verifier": "verifier-of-the-server"}
PENDING = answer(403, {"error": {"code": "canary"}})


def begin(world, **given):
    world.endpoints.scripted = [answer(200, {name: told for name, told in (GIVEN | given).items() if told is not None})]
    return world.run(codex_device.begin(PLAN))


def polling(world, attempt, *answers):
    world.endpoints.scripted += answers
    return Caller(world, codex_device.poll(PLAN, attempt, attempt.device))


def test_the_codes_are_asked_for_in_json_and_last_a_quarter_of_an_hour(world):
    attempt = begin(world)

    (request,) = world.endpoints.requests
    assert (request.url, request.json, request.form) == (CODEX.device_url, {"client_id": "client-1"}, None)
    assert world.ports.attempts.load(attempt.id) == attempt
    assert attempt.expires_at == NOON + timedelta(minutes=15)
    assert attempt.device.verification_uri == f"{ISSUER}/codex/device"
    assert (attempt.device.user_code, attempt.device.interval) == ("ABCD-1234", timedelta(seconds=3))


def test_the_older_name_of_the_code_is_understood(world):
    assert begin(world, user_code=None, usercode="ABCD-1234").device.user_code == "ABCD-1234"


def test_codes_that_are_switched_off_name_the_setting(world):
    world.endpoints.scripted = [answer(404)]

    with pytest.raises(SignInFailed) as caught:
        world.run(codex_device.begin(PLAN))

    assert "security settings of ChatGPT" in caught.value.hint


@pytest.mark.parametrize("status", [403, 404])
def test_both_refusals_mean_that_nobody_has_typed_the_code(world, status):
    attempt = begin(world)
    caller = polling(world, attempt, answer(status), answer(status), answer(200, CODE))

    assert caller.finish()

    assert [step.span.total_seconds() for step in caller.taken if isinstance(step, Sleep)] == [3, 3, 3]
    asked = world.endpoints.requests[1:4]
    assert {request.url for request in asked} == {f"{ISSUER}/api/accounts/deviceauth/token"}
    assert asked[0].json == {"device_auth_id": Secret("auth-id-1"), "user_code": "ABCD-1234"}


def test_the_code_is_exchanged_with_the_servers_verifier_at_the_servers_redirect(world):
    attempt = begin(world)

    account = polling(world, attempt, PENDING, answer(200, CODE)).finish()

    exchange = world.endpoints.requests[-1]
    assert exchange.url == CODEX.token_url
    assert exchange.form["code"] == Secret("code-1")
    assert exchange.form["code_verifier"] == Secret("verifier-of-the-server")
    assert exchange.form["redirect_uri"] == f"{ISSUER}/deviceauth/callback"
    assert world.stands(account.id).tokens.refresh == Secret("refresh-signed-in")
    assert world.status(attempt.id) is Status.SIGNED_IN


@pytest.mark.parametrize(
    "body", [{}, {"authorization_code": "code-1"}, {"code_verifier": "x"}, CODE | {"code_verifier": 1}]
)
def test_an_answer_without_a_code_is_asked_about_again(world, body):
    attempt = begin(world)
    caller = polling(world, attempt, answer(200, body), answer(200, CODE))

    assert caller.finish()

    assert [step.span.total_seconds() for step in caller.taken if isinstance(step, Sleep)] == [3, 6]


def test_a_refused_exchange_fails_the_sign_in(world):
    attempt = begin(world)

    with pytest.raises(SignInFailed, match="refused the code"):
        polling(world, attempt, answer(200, CODE), answer(400, {"error": "invalid_grant"})).finish()

    assert world.status(attempt.id) is Status.FAILED


def test_a_fault_of_the_server_is_waited_for(world):
    attempt = begin(world)

    assert polling(world, attempt, answer(502), ProviderUnavailable("No answer."), answer(200, CODE)).finish()


def test_a_poll_that_is_given_up_leaves_the_sign_in_cancelled(world):
    attempt = begin(world)
    caller = polling(world, attempt, PENDING)
    caller.reach(Send)

    caller.cancel()

    assert world.status(attempt.id) is Status.CANCELLED


def test_only_a_sign_in_on_another_device_takes_a_code_without_a_state():
    with pytest.raises(ReplyRejected):
        handed_callback(an_attempt(), Secret("code-1"))
    with pytest.raises(ReplyRejected):
        handed_callback(an_attempt(device=a_device()), Secret("not a\nword"))

    assert handed_callback(an_attempt(device=a_device()), Secret("code-1")).client_id == "client-1"
