import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doorkey.domain.account import Proof, Standing, State
from doorkey.domain.attempt import DYNAMIC_CLIENT, Attempt, Status
from doorkey.domain.provider import Api, Dialect, Grant
from doorkey.domain.secret import Secret
from doorkey.errors import (
    ConsentNeeded,
    Misconfigured,
    ProviderUnavailable,
    ReplyRejected,
    SignInFailed,
    StorageFull,
)
from doorkey.flows import admission, authorization_code
from doorkey.flows.attempts import LIFETIME, Plan
from doorkey.flows.steps import Detach, Save, SaveAttempt, Send, VerifyIdToken
from doorkey.testing.script import ISSUER, METHOD, Caller, World, answer, interleave, outcome
from doorkey.testing.values import HOUR, NOON, an_identity, some_tokens

API = Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT)
OPENID = replace(METHOD, scopes=("openid", "offline_access"), jwks_url=f"{ISSUER}/jwks")
SIWC = replace(OPENID, client_id=None, registers=True, resource="https://api.example/v1")


def plan_for(method=METHOD, **changes):
    fields = {
        "provider": "acme",
        "method": method,
        "api": API,
        "redirect": "http://127.0.0.1:4000/callback",
        "host_id": "urn:uuid:host",
    }
    return Plan(**(fields | changes))


def begin(world, plan):
    attempt, url = world.run(authorization_code.begin(plan))
    return attempt, url, {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def reply_to(attempt, **changes):
    fields = {"code": "code-1", "state": attempt.state.reveal()} | changes
    return f"{attempt.redirect}?{urlencode({name: value for name, value in fields.items() if value is not None})}"


def finish(world, plan, attempt, reply=None):
    return Caller(world, authorization_code.finish(plan, attempt, reply or reply_to(attempt)))


def sign_in(world, plan, **changes):
    attempt, _, _ = begin(world, plan)
    return finish(world, plan, attempt, reply_to(attempt, **changes)).finish()


def proven(world, **claims):
    """Let the server prove an identity with the next code."""
    world.endpoints.extra = {"id_token": "proof"}
    world.signatures.proven = {"iss": ISSUER, "aud": "client-1", "sub": "subject-1", "exp": 2e9} | claims


def test_state_verifier_and_nonce_are_three_separate_values_of_32_bytes(world):
    attempt, _, _ = begin(world, plan_for())

    values = [secret.reveal() for secret in (attempt.state, attempt.verifier, attempt.nonce)]
    assert len(set(values)) == 3
    assert [len(base64.urlsafe_b64decode(f"{value}=")) for value in values] == [32] * 3


def test_two_attempts_share_nothing(world):
    one, other = begin(world, plan_for())[0], begin(world, plan_for())[0]

    assert one.id != other.id
    assert {one.state, one.verifier, one.nonce}.isdisjoint({other.state, other.verifier, other.nonce})


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


def test_an_attempt_is_kept_before_its_url_is_known_and_lasts_ten_minutes(world):
    attempt, _, _ = begin(world, plan_for())

    assert world.ports.attempts.load(attempt.id) == attempt
    assert attempt.expires_at == NOON + timedelta(minutes=10)


def test_a_method_without_a_client_id_says_how_to_name_one(world):
    with pytest.raises(Misconfigured) as caught:
        begin(world, plan_for(replace(METHOD, client_id=None)))

    assert "[providers.acme.methods.oauth]" in caught.value.hint


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


def test_a_good_reply_becomes_an_account(world):
    attempt, _, _ = begin(world, plan_for(name="work"))

    account = finish(world, plan_for(name="work"), attempt).finish()

    stands = world.stands(account.id)
    assert stands.account == account
    assert stands.tokens.refresh == Secret("refresh-signed-in")
    assert (account.name, account.renews, account.generation) == ("work", True, 0)
    assert account.standing == Standing(proof=Proof(NOON, "sign-in"))
    assert world.status(attempt.id) is Status.SIGNED_IN
    assert world.ports.attempts.load(attempt.id).account == account.id


def test_an_account_remembers_the_origins_that_it_was_made_for(world):
    account = sign_in(world, plan_for())

    assert account.origins.api == "https://api.example:443"
    assert account.origins.token == account.origins.revoke == "https://issuer.example:443"


def test_a_foreign_reply_changes_nothing(world):
    attempt, _, _ = begin(world, plan_for())

    with pytest.raises(ReplyRejected):
        finish(world, plan_for(), attempt, reply_to(attempt, state="another")).finish()

    assert world.status(attempt.id) is Status.WAITING
    assert world.endpoints.requests == []
    assert finish(world, plan_for(), attempt).finish()


def test_a_refusal_ends_the_attempt_without_an_exchange(world):
    attempt, _, _ = begin(world, plan_for())

    with pytest.raises(SignInFailed):
        finish(world, plan_for(), attempt, reply_to(attempt, code=None, error="access_denied")).finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.endpoints.requests == []


@pytest.mark.parametrize(("late", "ends"), [(LIFETIME - timedelta(seconds=1), False), (LIFETIME, True)])
def test_an_attempt_ends_after_its_ten_minutes(world, late, ends):
    attempt, _, _ = begin(world, plan_for())
    world.clock.sleep(late)

    caller = finish(world, plan_for(), attempt)
    if ends:
        with pytest.raises(SignInFailed, match="expired"):
            caller.finish()
    else:
        caller.finish()

    assert world.status(attempt.id) is (Status.FAILED if ends else Status.SIGNED_IN)


def test_a_reply_is_used_once(world):
    attempt, _, _ = begin(world, plan_for())
    finish(world, plan_for(), attempt).finish()

    with pytest.raises(SignInFailed, match="already"):
        finish(world, plan_for(), attempt).finish()

    assert len(world.endpoints.requests) == 1
    assert world.status(attempt.id) is Status.SIGNED_IN


def test_of_two_replies_at_once_only_one_is_exchanged(world):
    attempt, _, _ = begin(world, plan_for())
    one, other = finish(world, plan_for(), attempt), finish(world, plan_for(), attempt)
    one.reach(Send)

    with pytest.raises(SignInFailed, match="already"):
        other.finish()

    assert one.finish()
    assert len(world.endpoints.requests) == 1


def test_the_issued_client_is_kept_before_the_exchange(world):
    attempt, _, _ = begin(world, plan_for(SIWC))
    proven(world, aud="oaiapp_1", nonce=attempt.nonce.reveal())
    caller = finish(world, plan_for(SIWC), attempt, reply_to(attempt, client_id="oaiapp_1"))
    caller.reach(Send)

    assert world.ports.attempts.load(attempt.id).client_id == "oaiapp_1"
    assert caller.finish().identity.client_id == "oaiapp_1"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_code_ends_the_attempt(world, status):
    attempt, _, _ = begin(world, plan_for())
    world.endpoints.scripted = [answer(status, {"error": "invalid_grant"})]

    with pytest.raises(SignInFailed, match="refused the code"):
        finish(world, plan_for(), attempt).finish()

    kept = world.ports.attempts.load(attempt.id)
    assert (kept.status, kept.error) == (Status.FAILED, "sign_in_failed")


@pytest.mark.parametrize("response", [answer(503), answer(200, b"<html>"), ProviderUnavailable("no way there")])
def test_an_exchange_without_an_answer_ends_the_attempt_as_a_fault_that_passes(world, response):
    attempt, _, _ = begin(world, plan_for())
    world.endpoints.scripted = [response]

    with pytest.raises(ProviderUnavailable):
        finish(world, plan_for(), attempt).finish()

    assert world.ports.attempts.load(attempt.id).error == "provider_unavailable"
    assert world.ports.accounts.all() == []


def unanswered(world, plan):
    """An attempt whose exchange got no answer, as it is kept."""
    attempt, _, _ = begin(world, plan)
    world.endpoints.scripted = [ProviderUnavailable("no way")]
    with pytest.raises(ProviderUnavailable):
        finish(world, plan, attempt).finish()
    return world.ports.attempts.load(attempt.id)


def again(world, plan, attempt):
    return Caller(world, authorization_code.redeem_again(plan, attempt))


def test_only_the_exchange_is_repeated_and_with_the_same_code(world):
    plan = plan_for()
    attempt = unanswered(world, plan)

    account = again(world, plan, attempt).finish()

    first, second = world.endpoints.requests
    assert first == second
    assert world.status(attempt.id) is Status.SIGNED_IN
    assert world.stands(account.id).account == account
    assert world.ports.attempts.load(attempt.id).callback is None


def test_an_exchange_can_be_repeated_until_it_is_answered(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    world.endpoints.scripted = [answer(503), answer(400, {"error": "invalid_grant"})]

    with pytest.raises(ProviderUnavailable):
        again(world, plan, attempt).finish()
    assert world.status(attempt.id) is Status.UNANSWERED
    with pytest.raises(SignInFailed, match="refused the code"):
        again(world, plan, world.ports.attempts.load(attempt.id)).finish()

    assert world.status(attempt.id) is Status.FAILED
    assert world.ports.attempts.load(attempt.id).callback is None


def test_a_code_is_not_kept_beyond_the_life_of_its_attempt(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    world.clock.sleep(LIFETIME)

    with pytest.raises(SignInFailed, match="expired"):
        again(world, plan, attempt).finish()

    assert len(world.endpoints.requests) == 1
    assert world.status(attempt.id) is Status.FAILED


def test_of_two_repetitions_at_once_only_one_is_sent(world):
    plan = plan_for()
    attempt = unanswered(world, plan)
    callers = [again(world, plan, attempt) for _ in range(2)]

    interleave(callers, [0, 1, 0, 1])

    assert len(world.endpoints.requests) == 2
    assert max(map(outcome, callers), key=str) == "sign_in_failed"


def test_a_proven_identity_is_bound_to_the_account(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal(), email="ada@example.com")

    account = finish(world, plan_for(OPENID), attempt).finish()

    assert (account.identity.subject, account.identity.email) == ("subject-1", "ada@example.com")


def test_the_issuers_keys_are_fetched_before_the_code_is_spent(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    world.endpoints.scripted = [answer(503)]

    with pytest.raises(ProviderUnavailable):
        finish(world, plan_for(OPENID), attempt).finish()

    assert [request.url for request in world.endpoints.requests] == [OPENID.jwks_url]


@pytest.mark.parametrize(
    "claim", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://other.example"}, {"exp": 0}]
)
def test_an_id_token_of_another_sign_in_binds_nobody(world, claim):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, **({"nonce": attempt.nonce.reveal()} | claim))

    with pytest.raises(SignInFailed):
        finish(world, plan_for(OPENID), attempt).finish()

    assert world.ports.accounts.all() == []
    assert world.status(attempt.id) is Status.FAILED


def test_a_computer_whose_clock_is_hours_ahead_can_sign_in(world):
    world.clock.time = NOON + 3 * HOUR
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal(), exp=(NOON + HOUR).timestamp())
    tokens = {"access_token": "access", "id_token": "proof", "expires_in": 3600}
    world.endpoints.scripted = [answer(), answer(200, tokens, date="Tue, 01 Jan 2030 12:00:00 GMT")]

    account = finish(world, plan_for(OPENID), attempt).finish()

    assert account.identity.subject == "subject-1"
    assert account.expires_at == NOON + 4 * HOUR


def test_an_id_token_with_a_false_signature_binds_nobody(world):
    attempt, _, _ = begin(world, plan_for(OPENID))
    proven(world, nonce=attempt.nonce.reveal())
    world.failing[VerifyIdToken] = [SignInFailed("not signed by the issuer")]

    with pytest.raises(SignInFailed):
        finish(world, plan_for(OPENID), attempt).finish()

    assert world.ports.accounts.all() == []


def someone(uuid, email):
    return {"account": {"uuid": uuid, "email_address": email}}


def test_signing_in_again_updates_the_row_of_the_same_identity(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    first = sign_in(world, plan_for(name="work"))
    blocked = replace(first, standing=Standing(state=State.SIGN_IN_NEEDED))
    world.ports.accounts.save_standing(blocked)

    again = sign_in(world, plan_for())

    assert (again.id, again.name, again.generation) == (first.id, "work", 1)
    assert again.standing.state is State.READY
    assert world.ports.accounts.all() == [again]


def test_another_identity_becomes_another_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    first = sign_in(world, plan_for())
    world.endpoints.extra = someone("b", "bob@example.com")

    second = sign_in(world, plan_for())

    assert {account.id for account in world.ports.accounts.all()} == {first.id, second.id}


def test_a_reconnect_as_somebody_else_changes_no_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    account = sign_in(world, plan_for())
    before = world.stands(account.id)
    world.endpoints.extra = someone("b", "bob@example.com")

    with pytest.raises(ConsentNeeded, match=r"bob@example\.com, not ada@example\.com"):
        sign_in(world, plan_for(account=account))

    assert world.stands(account.id) == before
    assert len(world.ports.accounts.all()) == 1


def test_who_signed_in_instead_can_be_kept_as_another_account(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    mine = sign_in(world, plan_for(name="work"))
    world.endpoints.extra = someone("b", "bob@example.com")
    plan = plan_for(account=mine, name="work")
    attempt, _, _ = begin(world, plan)
    with pytest.raises(ConsentNeeded):
        finish(world, plan, attempt).finish()
    waiting = world.ports.attempts.load(attempt.id)

    account = Caller(world, admission.keep_arrival(plan, waiting)).finish()

    assert (waiting.status, world.status(attempt.id)) == (Status.SOMEBODY_ELSE, Status.SIGNED_IN)
    assert (account.identity.email, account.name) == ("bob@example.com", None)
    assert world.stands(account.id).tokens == waiting.arrived.tokens
    assert world.stands(mine.id).account == mine
    assert world.ports.attempts.load(attempt.id).arrived is None


def test_a_reconnect_wins_over_a_renewal_that_was_saved_meanwhile(world):
    world.endpoints.extra = someone("a", "ada@example.com")
    account = sign_in(world, plan_for())
    attempt, _, _ = begin(world, plan_for(account=account))
    caller = finish(world, plan_for(account=account), attempt)
    caller.reach(Save)
    renewed = replace(world.stands(account.id), account=replace(account, generation=1), tokens=some_tokens("renewed"))
    world.ports.accounts.save(renewed, read=0)

    again = caller.finish()

    assert again.generation == 2
    assert world.stands(account.id).tokens.refresh == Secret("refresh-signed-in")


def exchange_steps():
    world = World()
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)
    caller.finish()
    return len(caller.taken)


@pytest.mark.parametrize("number", range(exchange_steps()))
def test_giving_up_at_any_step_of_the_end_leaves_it_unsent_or_finished(world, number):
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)
    for _ in range(number):
        caller.take()

    caller.cancel()

    if world.endpoints.requests:
        assert world.status(attempt.id) is Status.SIGNED_IN
        assert [each.renews for each in world.ports.accounts.all()] == [True]
    else:
        assert world.status(attempt.id) is Status.WAITING
        assert finish(world, plan_for(), attempt).finish()


@pytest.mark.parametrize("number", range(6))
def test_giving_up_at_any_step_of_the_beginning_keeps_no_half_attempt(world, number):
    caller = Caller(world, authorization_code.begin(plan_for()))
    for _ in range(number):
        caller.take()

    caller.cancel()

    saved = [step.attempt for step in caller.taken if isinstance(step, SaveAttempt)]
    assert all(isinstance(world.ports.attempts.load(attempt.id), Attempt) for attempt in saved)
    assert world.endpoints.requests == []


def test_the_exchange_is_detached_from_before_the_attempt_moves_until_the_account_is_saved(world):
    attempt, _, _ = begin(world, plan_for())
    caller = finish(world, plan_for(), attempt)

    caller.finish()

    kinds = [type(step) for step in caller.taken]
    assert kinds.index(Detach) < kinds.index(SaveAttempt) < kinds.index(Send) < kinds.index(Save)


def test_a_vault_that_cannot_take_the_account_ends_the_attempt(world):
    attempt, _, _ = begin(world, plan_for())
    world.failing[Save] = [StorageFull("full")]

    with pytest.raises(StorageFull):
        finish(world, plan_for(), attempt).finish()

    assert world.ports.attempts.load(attempt.id).error == "storage_full"


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
