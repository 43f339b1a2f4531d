from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.account import Proof, Standing
from doorkey.domain.attempt import Status
from doorkey.domain.provider import Api, Dialect
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, DoorkeyError, Misconfigured, ProviderUnavailable, SignInFailed, StoreBusy
from doorkey.flows import device_code
from doorkey.flows.attempts import LIFETIME, Plan
from doorkey.flows.device_wire import GRANT_TYPE
from doorkey.flows.steps import Detach, ReleaseLease, Save, SaveAttempt, Send, Sleep, TakeLease
from doorkey.testing.script import ISSUER, METHOD, Caller, World, answer, interleave, outcome
from doorkey.testing.values import NOON, an_account

API = Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT)
DEVICE = replace(METHOD, device_url=f"{ISSUER}/device_authorization", scopes=("models", "offline_access"))
OPENID = replace(DEVICE, scopes=("openid", "offline_access"), jwks_url=f"{ISSUER}/jwks")
GIVEN = {
    "device_code": "device-code-1",
    "user_code": "BCDF-GHJK",
    "verification_uri": f"{ISSUER}/device",
    "verification_uri_complete": f"{ISSUER}/device?user_code=BCDF-GHJK",
    "expires_in": 600,
    "interval": 5,
}
TOKENS = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600}
PENDING = answer(400, {"error": "authorization_pending"})
ALLOWED = answer(200, TOKENS)
NO_ANSWER = ProviderUnavailable("The issuer did not answer in time.")


def plan_for(method=DEVICE, **changes):
    fields = {"provider": "acme", "method": method, "api": API, "redirect": "", "host_id": "urn:uuid:host"}
    return Plan(**(fields | changes))


def begin(world, plan=None, **given):
    world.endpoints.scripted = [answer(200, {name: told for name, told in (GIVEN | given).items() if told is not None})]
    return world.run(device_code.begin(plan or plan_for()))


def polling(world, attempt, *answers, plan=None):
    world.endpoints.scripted += answers
    return Caller(world, device_code.poll(plan or plan_for(), attempt, attempt.device))


def pauses(caller):
    return [step.span.total_seconds() for step in caller.taken if isinstance(step, Sleep)]


def questions(world):
    return [request for request in world.endpoints.requests if (request.form or {}).get("grant_type") == GRANT_TYPE]


def test_a_code_is_asked_for_with_what_it_is_for(world):
    begin(world)

    (request,) = world.endpoints.requests
    assert (request.method, request.url) == ("POST", DEVICE.device_url)
    assert request.form == {"client_id": "client-1", "scope": "models offline_access"}


def test_an_attempt_holds_both_codes_and_lasts_as_long_as_they_do(world):
    attempt = begin(world)

    assert world.ports.attempts.load(attempt.id) == attempt
    assert attempt.device.code == Secret("device-code-1")
    assert attempt.device.user_code == "BCDF-GHJK"
    assert attempt.device.verification_uri == f"{ISSUER}/device"
    assert attempt.device.verification_uri_complete == f"{ISSUER}/device?user_code=BCDF-GHJK"
    assert attempt.expires_at == NOON + timedelta(seconds=600)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(7, 7), ("7", 7), (None, 5), (0, 5), (-3, 5), ("soon", 5), (True, 5), ([], 5), (0.2, 1), (86400, 60), (1e300, 60),
     (float("nan"), 5), ("9" * 5000, 5)],
)  # fmt: skip
def test_an_interval_is_taken_within_reason(world, told, seconds):
    attempt = begin(world, interval=told)

    assert attempt.device.interval == timedelta(seconds=seconds)


@pytest.mark.parametrize(("told", "minutes"), [(None, 15), ("900", 15), (-1, 15), (1800, 30), (1e12, 60)])
def test_a_life_is_taken_within_reason(world, told, minutes):
    attempt = begin(world, expires_in=told)

    assert attempt.expires_at == NOON + timedelta(minutes=minutes)


def test_an_older_name_of_the_page_is_understood(world):
    attempt = begin(world, verification_uri=None, verification_url=f"{ISSUER}/old")

    assert attempt.device.verification_uri == f"{ISSUER}/old"


@pytest.mark.parametrize(
    "wrong",
    [
        {"verification_uri": "http://issuer.example/device"},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": f"{ISSUER}/\x1b[2J"},
        {"verification_uri": "https://github.com@issuer.example/device"},
        {"verification_uri": "http://127.0.0.1:8378/device"},
        {"verification_uri": None},
        {"user_code": "\x1b]0;title\x07"},
        {"user_code": "B" * 65},
        {"user_code": None},
        {"device_code": None},
        {"device_code": ""},
    ],
)
def test_what_nobody_should_open_or_be_shown_is_refused(world, wrong):
    with pytest.raises(ProviderUnavailable):
        begin(world, **wrong)


def test_a_server_of_this_computer_may_have_its_page_here(world):
    here = replace(DEVICE, device_url="http://127.0.0.1:8379/device_authorization")

    attempt = begin(world, plan_for(here), verification_uri="http://127.0.0.1:8379/device")

    assert attempt.device.verification_uri == "http://127.0.0.1:8379/device"


def test_a_complete_address_that_is_not_safe_is_left_out(world):
    attempt = begin(world, verification_uri_complete="http://issuer.example/device?user_code=BCDF-GHJK")

    assert attempt.device.verification_uri_complete is None


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (answer(400, {"error": "invalid_client"}), Misconfigured),
        (answer(401, {"error": "invalid_client"}), Misconfigured),
        (answer(404), Misconfigured),
        (answer(200, {"error": "incorrect_client_credentials"}), Misconfigured),
        (answer(503), ProviderUnavailable),
        (answer(429, retry_after="5"), ProviderUnavailable),
        (answer(200, b"<html>sign in to this network</html>"), ProviderUnavailable),
        (answer(400, {"error": "canary"}), SignInFailed),
    ],
)
def test_a_refused_start_says_whose_fault_it_is_and_keeps_nothing(world, refused, error):
    world.endpoints.scripted = [refused]
    caller = Caller(world, device_code.begin(plan_for()))

    with pytest.raises(error) as caught:
        caller.finish()

    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert not any(isinstance(step, SaveAttempt) for step in caller.taken)


def test_an_app_without_the_device_flow_is_told_where_to_switch_it_on(world):
    world.endpoints.scripted = [answer(200, {"error": "device_flow_disabled"})]

    with pytest.raises(Misconfigured) as caught:
        world.run(device_code.begin(plan_for()))

    assert "settings of the app" in caught.value.hint


def test_a_method_without_a_device_address_is_misconfigured(world):
    with pytest.raises(Misconfigured, match="no device code"):
        world.run(device_code.begin(plan_for(METHOD)))


def test_an_allowed_sign_in_becomes_an_account(world):
    plan = plan_for(name="work")
    attempt = begin(world, plan)

    account = polling(world, attempt, PENDING, ALLOWED, plan=plan).finish()

    stands = world.stands(account.id)
    assert stands.account == account
    assert (stands.tokens.access, stands.tokens.refresh) == (Secret("access-1"), Secret("refresh-1"))
    assert account.name == "work"
    assert account.standing == Standing(proof=Proof(NOON + timedelta(seconds=10), "sign-in"))
    assert world.status(attempt.id) is Status.SIGNED_IN
    assert world.ports.attempts.load(attempt.id).account == account.id


def test_each_question_holds_the_device_code_and_comes_after_an_interval(world):
    attempt = begin(world)
    caller = polling(world, attempt, PENDING, PENDING, ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 5, 5]
    assert [request.form["device_code"] for request in questions(world)] == [Secret("device-code-1")] * 3
    assert {request.form["client_id"] for request in questions(world)} == {"client-1"}


def test_slow_down_lengthens_every_later_wait(world):
    slower = answer(400, {"error": "slow_down"})
    caller = polling(world, begin(world), PENDING, slower, PENDING, slower, PENDING, ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 5, 10, 10, 15, 15]


def test_github_answers_with_status_200_and_names_the_new_interval(world):
    pending = answer(200, {"error": "authorization_pending"})
    slower = answer(200, {"error": "slow_down", "interval": 20})
    caller = polling(world, begin(world), pending, slower, pending, ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 5, 20, 20]


@pytest.mark.parametrize("told", [1, 6])
def test_a_new_interval_that_is_hardly_longer_still_adds_five_seconds(world, told):
    caller = polling(world, begin(world), answer(200, {"error": "slow_down", "interval": told}), ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 10]


@pytest.mark.parametrize(
    ("ending", "error", "words"),
    [
        (answer(400, {"error": "access_denied"}), SignInFailed, "not approved"),
        (answer(200, {"error": "access_denied"}), SignInFailed, "not approved"),
        (answer(400, {"error": "authorization_denied"}), SignInFailed, "not approved"),
        (answer(400, {"error": "expired_token"}), SignInFailed, "expired"),
        (answer(400, {"error": "invalid_grant"}), SignInFailed, "does not know this code"),
        (answer(400, {"error": "canary"}), SignInFailed, "ended the sign-in"),
        (answer(401, {"error": "invalid_client"}), Misconfigured, "invalid_client"),
        (answer(404), Misconfigured, "does not accept this client"),
    ],
)
def test_an_end_is_told_in_words_of_our_own(world, ending, error, words):
    attempt = begin(world)

    with pytest.raises(error, match=words) as caught:
        polling(world, attempt, PENDING, ending).finish()

    stands = world.ports.attempts.load(attempt.id)
    assert (stands.status, stands.error, stands.hint) == (Status.FAILED, caught.value.code, caught.value.hint)
    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert len(questions(world)) == 2


def test_faults_double_the_pause_and_an_answer_ends_that(world):
    faults = [NO_ANSWER, answer(503), answer(200, b"<html>"), answer(200, {})]
    caller = polling(world, begin(world), *faults, PENDING, ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 10, 20, 40, 60, 5]


def test_a_wait_that_the_server_asks_for_is_kept_within_a_minute(world):
    asks = [answer(429, retry_after="30"), answer(503, retry_after="9999")]
    caller = polling(world, begin(world), *asks, ALLOWED)

    caller.finish()

    assert pauses(caller) == [5, 30, 60]


def test_a_busy_store_is_waited_for(world):
    caller = polling(world, begin(world), ALLOWED)
    caller.reach(SaveAttempt)
    world.failing[SaveAttempt] = [StoreBusy("Another program holds the database.")]

    assert caller.finish()
    assert pauses(caller) == [5, 10]


def test_nobody_is_asked_after_the_codes_have_ended(world):
    attempt = begin(world, expires_in=12)

    with pytest.raises(SignInFailed, match="expired before anybody allowed"):
        polling(world, attempt, PENDING, PENDING).finish()

    assert len(questions(world)) == 2
    assert world.clock.now() == attempt.expires_at
    assert world.status(attempt.id) is Status.FAILED


def test_codes_that_end_while_the_provider_is_away_say_so(world):
    attempt = begin(world, expires_in=20)

    with pytest.raises(SignInFailed, match="could not be asked"):
        polling(world, attempt, PENDING, NO_ANSWER, NO_ANSWER).finish()


def proven(world, **claims):
    world.signatures.proven = {"iss": ISSUER, "aud": "client-1", "sub": "subject-1", "exp": 2e9} | claims
    return answer(200, TOKENS | {"id_token": "proof"})


def test_an_id_token_is_verified_without_a_nonce(world):
    plan = plan_for(OPENID)
    keys = answer(200, {"keys": []})

    account = polling(world, begin(world, plan), keys, PENDING, proven(world), plan=plan).finish()

    assert account.identity.key == (ISSUER, "subject-1", None)


def test_an_id_token_for_somebody_else_binds_no_account(world):
    plan = plan_for(OPENID)
    attempt = begin(world, plan)

    with pytest.raises(SignInFailed, match="wrong audience"):
        polling(world, attempt, answer(200, {"keys": []}), proven(world, aud="another"), plan=plan).finish()

    assert world.ports.accounts.all() == []
    assert world.status(attempt.id) is Status.FAILED


def test_somebody_elses_tokens_are_kept_no_longer_than_ten_minutes_however_long_the_code_lasts(world):
    plan = plan_for(OPENID, account=an_account())
    attempt = begin(world, plan, expires_in=3600)

    with pytest.raises(ConsentNeeded):
        polling(world, attempt, answer(200, {"keys": []}), proven(world), plan=plan).finish()

    waiting = world.ports.attempts.load(attempt.id)
    assert waiting.arrived is not None
    assert waiting.expires_at == world.clock.time + LIFETIME < attempt.expires_at


def test_the_issuers_keys_are_fetched_once_and_before_the_tokens_can_come(world):
    plan = plan_for(OPENID)
    caller = polling(
        world, begin(world, plan), answer(500), answer(200, {"keys": []}), PENDING, proven(world), plan=plan
    )

    caller.finish()

    sent = [request.url for request in world.endpoints.requests[1:]]
    assert sent == [OPENID.jwks_url, OPENID.jwks_url, OPENID.token_url, OPENID.token_url]
    assert pauses(caller) == [5, 10, 5]


def test_a_sign_in_that_somebody_cancelled_is_not_asked_about(world):
    attempt = begin(world)
    caller = polling(world, attempt, PENDING)
    caller.reach(Sleep)
    world.ports.attempts.save(replace(attempt, status=Status.CANCELLED), was=Status.WAITING)

    with pytest.raises(SignInFailed, match="cancelled"):
        caller.finish()

    assert questions(world) == []
    assert world.status(attempt.id) is Status.CANCELLED


def test_tokens_that_come_after_a_cancel_are_not_kept(world):
    attempt = begin(world)

    def allowed_too_late(_request):
        world.ports.attempts.save(replace(attempt, status=Status.CANCELLED), was=Status.WAITING)
        return ALLOWED

    with pytest.raises(SignInFailed, match="cancelled"):
        polling(world, attempt, allowed_too_late).finish()

    assert world.ports.accounts.all() == []


def test_tokens_are_kept_whatever_their_caller_does_from_the_answer_on(world):
    caller = polling(world, begin(world), ALLOWED)
    caller.reach(Send)
    caller.take()

    assert isinstance(caller.step, Detach)
    caller.finish()


def steps_of_a_sign_in():
    world = World()
    caller = polling(world, begin(world), PENDING, ALLOWED)
    caller.finish()
    return len(caller.taken)


@pytest.mark.parametrize("taken", range(steps_of_a_sign_in()))
def test_a_poll_that_is_given_up_leaves_its_sign_in_cancelled_or_finishes_it(taken):
    world = World()
    attempt = begin(world)
    caller = polling(world, attempt, PENDING, ALLOWED)
    for _ in range(taken):
        caller.take()
    detached = caller.detached or isinstance(caller.step, Detach)

    caller.cancel()

    if caller.detached:
        assert caller.result
        assert world.status(attempt.id) is Status.SIGNED_IN
    else:
        assert outcome(caller) == "cancelled"
        assert world.status(attempt.id) is Status.CANCELLED
        assert world.ports.accounts.all() == []
    assert detached or not caller.detached
    assert world.ports.leases.take(attempt.id, timedelta(seconds=1))


def test_two_programs_do_not_ask_at_once(world):
    attempt = begin(world)
    one = polling(world, attempt, PENDING, ALLOWED)
    one.reach(Sleep)

    other = polling(world, attempt)

    assert other.finish() is None
    assert one.finish()
    assert len(questions(world)) == 2


@pytest.mark.parametrize("turns", [(0, 1) * 12, (1, 0) * 12, (0, 0, 1) * 8, (1,) * 9 + (0,) * 9])
def test_however_two_programs_take_turns_one_of_them_signs_in(world, turns):
    attempt = begin(world)
    callers = [polling(world, attempt, PENDING, ALLOWED), polling(world, attempt)]

    interleave(callers, turns)

    ends = [caller.result for caller in callers]
    assert len([end for end in ends if end]) == 1
    assert len(world.ports.accounts.all()) == 1
    assert len(questions(world)) == 2


def test_who_goes_on_after_a_program_that_died_keeps_its_pace(world):
    attempt = begin(world)
    dying = polling(world, attempt, answer(400, {"error": "slow_down"}), PENDING)
    for _ in range(2):
        dying.reach(Send)
        dying.take()
    dying.die()
    assert polling(world, attempt).finish() is None
    world.clock.sleep(timedelta(minutes=2))

    stands = world.ports.attempts.load(attempt.id)
    heir = polling(world, stands, ALLOWED)

    assert heir.finish()
    assert pauses(heir) == [10]


def test_a_program_that_was_overtaken_stops_without_an_end(world):
    attempt = begin(world)
    slow = polling(world, attempt)
    slow.reach(Sleep)
    world.clock.sleep(timedelta(minutes=3))
    heir = polling(world, attempt, PENDING, ALLOWED)
    heir.reach(Sleep)

    assert slow.finish() is None

    assert heir.finish()
    assert len(questions(world)) == 2


def test_the_right_to_ask_is_given_back_at_every_end(world):
    attempt = begin(world)
    caller = polling(world, attempt, answer(400, {"error": "access_denied"}))

    assert outcome(caller) == "sign_in_failed"

    taken = [type(step) for step in caller.taken]
    assert (taken[0], taken[-1]) == (TakeLease, ReleaseLease)


def test_a_lease_that_cannot_be_given_back_costs_no_sign_in(world):
    caller = polling(world, begin(world), ALLOWED)
    world.failing[ReleaseLease] = [StoreBusy("Another program holds the database.")]

    assert caller.finish()


def test_an_account_that_cannot_be_saved_fails_the_sign_in(world):
    attempt = begin(world)
    caller = polling(world, attempt, ALLOWED)
    world.failing[Save] = [StoreBusy("Another program holds the database.")]

    with pytest.raises(DoorkeyError):
        caller.finish()

    assert world.status(attempt.id) is Status.FAILED


ANSWERS = {
    "pending": PENDING,
    "slow": answer(400, {"error": "slow_down"}),
    "slower": answer(200, {"error": "slow_down", "interval": 30}),
    "away": NO_ANSWER,
    "busy": answer(503, retry_after="20"),
    "rubbish": answer(200, b"<html>"),
    "allowed": ALLOWED,
    "denied": answer(400, {"error": "access_denied"}),
}


@given(said=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=30), interval=st.integers(1, 60))
def test_whatever_a_server_answers_it_is_never_hurried_and_there_is_an_end(said, interval):
    world = World()
    attempt = begin(world, interval=interval)
    caller = polling(world, attempt, *[ANSWERS[word] for word in said])

    outcome(caller)

    waited, least = pauses(caller), interval
    for pause, word in zip(waited[:-1], said, strict=False):
        assert pause >= least
        least += 5 if word in {"slow", "slower"} else 0
    assert world.clock.now() <= attempt.expires_at
    assert world.status(attempt.id) in {Status.SIGNED_IN, Status.FAILED}
    assert len(world.ports.accounts.all()) == (world.status(attempt.id) is Status.SIGNED_IN)
    assert world.ports.leases.take(attempt.id, timedelta(seconds=1))
