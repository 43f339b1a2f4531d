import base64
import hashlib
import json
from dataclasses import replace

import pytest

from doorkey.domain.attempt import DYNAMIC_CLIENT, Status
from doorkey.domain.provider import Grant
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable, ReplyRejected, SignInFailed
from doorkey.testing.script import ISSUER, METHOD, answer
from doorkey.testing.values import an_identity
from tests.flows.signing_in import OPENID, SIWC, begin, finish, plan_for, proven, reply_to


def test_the_url_holds_the_s256_challenge_and_never_the_verifier(world):
    attempt, url, query = begin(world, plan_for(OPENID))

    digest = hashlib.sha256(attempt.verifier.reveal().encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert query["code_challenge_method"] == "S256"
    assert attempt.verifier.reveal() not in url


def test_the_url_says_what_is_asked_for(world):
    attempt, url, query = begin(world, plan_for(OPENID))

    assert url.startswith(f"{METHOD.authorize_url}?")
    assert query["response_type"] == "code"
    assert query["client_id"] == "client-1"
    assert query["redirect_uri"] == "http://127.0.0.1:4000/callback"
    assert query["scope"] == "openid offline_access"
    assert (query["state"], query["nonce"]) == (attempt.state.reveal(), attempt.nonce.reveal())


def test_a_nonce_is_only_sent_where_an_id_token_is_asked_for(world):
    assert "nonce" not in begin(world, plan_for())[2]


def test_what_a_config_adds_to_the_url_cannot_replace_its_protection(world):
    extra = {"prompt": "login", "state": "mine", "code_challenge_method": "plain"}

    attempt, _, query = begin(world, plan_for(replace(METHOD, authorize_extra=extra)))

    assert query["prompt"] == "login"
    assert query["state"] == attempt.state.reveal()
    assert query["code_challenge_method"] == "S256"


def test_an_authorization_address_with_a_query_is_extended(world):
    _, url, _ = begin(world, plan_for(replace(METHOD, authorize_url=f"{ISSUER}/authorize?tenant=1")))

    assert url.startswith(f"{ISSUER}/authorize?tenant=1&")


def test_a_first_registration_introduces_host_and_app(world):
    attempt, _, query = begin(world, plan_for(SIWC))

    assert attempt.client_id == query["client_id"] == DYNAMIC_CLIENT
    assert query["ext_agent_host_id"] == "urn:uuid:host"
    assert query["agent_name_hint"] == "Doorkey"
    assert query["resource"] == "https://api.example/v1"


def test_a_reconnect_sends_the_accounts_own_client(world):
    account = world.keep(identity=an_identity(client_id="oaiapp_1"))

    attempt, _, query = begin(world, plan_for(SIWC, account=account))

    assert attempt.client_id == query["client_id"] == "oaiapp_1"
    assert "agent_name_hint" not in query
    assert attempt.account == account.id


def test_a_foreign_reply_changes_nothing(world):
    attempt, _, _ = begin(world, plan_for())

    with pytest.raises(ReplyRejected):
        finish(world, plan_for(), attempt, reply_to(attempt, state="another")).finish()

    assert world.status(attempt.id) is Status.WAITING
    assert world.endpoints.requests == []
    assert finish(world, plan_for(), attempt).finish()


def test_the_state_travels_in_the_exchange_where_the_server_wants_it(world):
    method = replace(METHOD, token_body="json", state_in_token_body=True)
    attempt, _, _ = begin(world, plan_for(method))

    finish(world, plan_for(method), attempt, f"code-1#{attempt.state.reveal()}").finish()

    assert world.endpoints.requests[0].json["state"] == attempt.state


def test_no_secret_leaves_in_a_url_or_a_log(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal())
    caller = finish(world, plan_for(OPENID), attempt)

    caller.finish()

    shown = json.dumps([request.url for request in world.endpoints.requests]) + repr(caller.taken)
    secrets = ("code-1", "access-signed-in", "refresh-signed-in", attempt.verifier.reveal(), attempt.state.reveal())
    assert not any(secret in shown for secret in secrets)


KEY_GRANT = replace(
    METHOD, client_id=None, grant=Grant.KEY, token_url=f"{ISSUER}/keys", revoke_url=None, scopes=(), token_body="form"
)
SECRET_PATH = "http://127.0.0.1:4000/callback/a-random-path"


def test_a_sign_in_for_a_key_sends_no_client_and_its_path_is_the_state(world):
    attempt, url, query = begin(world, plan_for(KEY_GRANT, redirect=SECRET_PATH))

    assert set(query) == {"callback_url", "code_challenge", "code_challenge_method"}
    assert query["callback_url"] == attempt.return_address == SECRET_PATH
    assert attempt.state == Secret("a-random-path")
    assert attempt.redirect == "http://127.0.0.1:4000/callback"
    assert attempt.verifier.reveal() not in url


def test_a_code_becomes_a_key_that_has_no_end_and_is_not_renewed(world):
    plan = plan_for(KEY_GRANT, redirect=SECRET_PATH)
    attempt, _, _ = begin(world, plan)
    world.endpoints.scripted = [answer(200, {"key": "key-1", "user_id": "user-1"})]

    account = finish(world, plan, attempt, f"{SECRET_PATH}?code=code-1").finish()

    (request,) = world.endpoints.requests
    held = world.stands(account.id)
    assert request.json == {
        "code": Secret("code-1"),
        "code_verifier": attempt.verifier,
        "code_challenge_method": "S256",
    }
    assert (held.tokens.access, held.tokens.refresh, held.tokens.expires_at) == (Secret("key-1"), None, None)
    assert (account.renews, account.identity.subject) == (False, "user-1")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(403, {"error": {"code": 403, "message": "wrong"}}), SignInFailed),
        (answer(400, {"error": {"code": 400, "message": "wrong"}}), SignInFailed),
        (answer(405), ProviderUnavailable),
        (answer(404), Misconfigured),
        (answer(500), ProviderUnavailable),
        (answer(200, b"<html>"), ProviderUnavailable),
        (answer(200, {"key": ""}), ProviderUnavailable),
        (answer(200, {"access_token": "not a key"}), ProviderUnavailable),
    ],
)
def test_a_key_that_does_not_come_ends_the_sign_in_with_its_reason(world, response, error):
    plan = plan_for(KEY_GRANT, redirect=SECRET_PATH)
    attempt, _, _ = begin(world, plan)
    world.endpoints.scripted = [response]

    with pytest.raises(error):
        finish(world, plan, attempt, f"{SECRET_PATH}?code=code-1").finish()

    assert world.status(attempt.id) is (Status.UNANSWERED if error is ProviderUnavailable else Status.FAILED)
