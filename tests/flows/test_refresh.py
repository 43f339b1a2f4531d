from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import LONGEST_PAUSE, Origins, Proof, Sent, Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, OriginChanged, ProviderUnavailable, SignInNeeded, StorageFull
from doorkey.flows.refresh import DEADLINE, LEASE, Lapse, LeaseLost, refuse_hopeless, renew
from doorkey.flows.steps import OwnsLease, SaveStanding, Send
from doorkey.testing.script import ISSUER, METHOD, Caller, answer
from doorkey.testing.values import NOON, an_account, some_tokens

NEVER_DONE = Lapse(method=METHOD, done=lambda _held, _moment: False)

DEAD = (
    "invalid_grant",
    "invalid_refresh_token",
    "token_expired",
    "refresh_token_expired",
    "refresh_token_invalidated",
    "refresh_token_reused",
)


def try_to_renew(world, account, lapse=NEVER_DONE):
    lease = world.ports.leases.take(account.id, LEASE)
    try:
        return world.run(renew(lease, lapse))
    finally:
        world.ports.leases.release(lease)


def refused(world, account, error, response):
    world.endpoints.scripted = [response]
    with pytest.raises(error) as caught:
        try_to_renew(world, account)
    return caught.value


def test_a_renewal_replaces_the_pair_and_leaves_its_proof(world):
    account = world.keep()

    held = try_to_renew(world, account)

    assert held.tokens.refresh == Secret("refresh-renewed-1")
    assert held.account.generation == 1
    assert held.account.expires_at == held.tokens.expires_at
    assert held.account.standing == Standing(proof=Proof(NOON, "renewal"))


def test_a_renewal_sends_the_refresh_token_once_with_the_whole_deadline(world):
    account = world.keep()

    try_to_renew(world, account)

    (request,) = world.endpoints.requests
    assert request.url == METHOD.token_url
    assert request.timeout == DEADLINE
    assert request.form == {
        "grant_type": "refresh_token",
        "client_id": "client-1",
        "refresh_token": some_tokens().refresh,
    }


@pytest.mark.parametrize(
    "response",
    [answer(400, {"error": code}) for code in DEAD]
    + [answer(401, {"error": {"code": "refresh_token_reused", "message": "used"}})]
    + [answer(400, {"error": "invalid_grant", "error_code": "refresh_token_expired"})]
    + [answer(401), answer(401, b"<html>"), answer(401, {"error": "something new"})]
    + [answer(200, {"error": "invalid_grant"})],
)
def test_a_dead_grant_asks_for_a_sign_in_and_keeps_the_row(world, response):
    account = world.keep()

    refused(world, account, SignInNeeded, response)

    stands = world.stands(account.id)
    assert stands.account.standing.state is State.SIGN_IN_NEEDED
    assert stands.account.identity == account.identity
    assert stands.tokens == some_tokens()


@pytest.mark.parametrize(
    "response",
    [
        answer(status, {"error": code})
        for code in ("invalid_client", "unauthorized_client", "invalid_scope")
        for status in (400, 401)
    ]
    + [answer(404), answer(404, {"error": "invalid_grant"})],
)
def test_a_wrong_set_up_blocks_the_account_and_keeps_everything(world, response):
    account = world.keep()

    refused(world, account, Misconfigured, response)

    stands = world.stands(account.id)
    assert stands.account.standing.state is State.BLOCKED
    assert stands.account.standing.retry_at is None
    assert stands.tokens == some_tokens()


@pytest.mark.parametrize(
    "response",
    [ProviderUnavailable("no way there")]
    + [answer(status, {"error": "invalid_grant"}) for status in (408, 425, 429, 500, 502, 503, 504, 599)]
    + [answer(status) for status in (302, 400, 403, 418)]
    + [answer(400, {"error": code}) for code in ("access_denied", "server_error", "invalid_request", "who knows")]
    + [answer(200, body) for body in (b"", b"<html>", b"[]", b"{", b"\xff", b"[" * 100_000, b'"text"')]
    + [answer(200, {"access_token": token}) for token in ("", None, 7)],
)
def test_a_fault_that_passes_keeps_everything_and_pauses(world, response):
    account = world.keep()

    refused(world, account, ProviderUnavailable, response)

    stands = world.stands(account.id)
    assert stands.account.standing.state is State.READY
    assert NOON < stands.account.standing.retry_at <= NOON + LONGEST_PAUSE
    assert stands.tokens == some_tokens()


@pytest.mark.parametrize(("said", "pause"), [("3", 3), ("15", 15), ("86400", 15), ("9" * 9, 15), ("0", 0)])
def test_retry_after_is_honoured_up_to_the_cap(world, said, pause):
    account = world.keep()

    refused(world, account, ProviderUnavailable, answer(429, retry_after=said))

    assert world.stands(account.id).account.standing.retry_at == NOON + timedelta(seconds=pause)


@pytest.mark.parametrize("said", ["soon", "-5", "1.5", "Tue, 01 Jan 2030 12:00:10 GMT"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(world, said):
    account = world.keep()

    refused(world, account, ProviderUnavailable, answer(503, retry_after=said))

    assert world.stands(account.id).account.standing.retry_at <= NOON + timedelta(seconds=1)


def test_the_pause_doubles_with_each_failure_up_to_a_cap(world):
    account = world.keep()
    pauses = []

    for _ in range(8):
        refused(world, account, ProviderUnavailable, answer(503))
        retry_at = world.stands(account.id).account.standing.retry_at
        pauses.append((retry_at - world.clock.now()).total_seconds())
        world.clock.time = retry_at

    assert all(2**number / 2 <= pause <= 2**number for number, pause in enumerate(pauses[:4]))
    assert all(8 <= pause <= LONGEST_PAUSE.total_seconds() for pause in pauses[4:])


def test_a_pause_keeps_what_was_known_of_the_account(world):
    proof = Proof(NOON, "chat")
    account = world.keep(standing=Standing(proof=proof))

    refused(world, account, ProviderUnavailable, answer(503))

    assert world.stands(account.id).account.standing.proof == proof


def test_no_request_is_made_where_the_config_names_another_token_address(world):
    account = world.keep(origins=Origins(api="https://api.example:443", token="https://elsewhere.example:443"))

    with pytest.raises(OriginChanged):
        try_to_renew(world, account)

    assert world.endpoints.requests == []
    assert world.stands(account.id).account.standing.state is State.BLOCKED


def test_nothing_is_sent_where_somebody_else_has_seen_to_it(world):
    account = world.keep()

    held = try_to_renew(world, account, Lapse(method=METHOD, done=lambda _held, _moment: True))

    assert held.tokens == some_tokens()
    assert world.endpoints.requests == []


def renewing(world, account):
    """Somebody who renews; a killed one leaves its lease, which a test without a clock has to take away."""
    return Caller(world, renew(world.ports.leases.take(account.id, LEASE), NEVER_DONE))


def killed_at(world, account, kind):
    """A renewal of which only the traces are left."""
    caller = renewing(world, account)
    caller.reach(kind)
    caller.die()
    world.clock.sleep(LEASE)


def test_that_a_renewal_leaves_is_recorded_before_and_forgotten_with_the_save(world):
    account = world.keep()
    caller = renewing(world, account)

    caller.reach(Send)
    before = world.stands(account.id).account.standing
    caller.finish()

    assert before.sent == Sent(NOON, some_tokens().refresh.digest())
    assert world.stands(account.id).account.standing.sent is None


def test_nothing_is_sent_while_the_vault_cannot_be_written(world):
    account = world.keep()
    world.failing[SaveStanding] = [StorageFull("full")]

    with pytest.raises(StorageFull):
        try_to_renew(world, account)

    assert world.endpoints.requests == []


def test_nothing_is_sent_for_a_pair_that_was_replaced_since_it_was_read(world):
    account = world.keep()
    caller = renewing(world, account)
    caller.reach(SaveStanding)
    mine = world.stands(account.id)
    world.ports.accounts.save(replace(mine, account=replace(account, generation=1)), read=0)

    with pytest.raises(LeaseLost):
        caller.finish()

    assert world.endpoints.requests == []


@pytest.mark.parametrize(
    "refusal", [answer(400, {"error": "invalid_grant"}), answer(401, {"error": {"code": "refresh_token_reused"}})]
)
def test_a_renewal_that_was_interrupted_explains_why_its_token_is_called_used(world, refusal):
    account = world.keep()
    killed_at(world, account, Send)
    world.endpoints.scripted = [refusal]

    with pytest.raises(SignInNeeded):
        try_to_renew(world, account)

    reason = world.stands(account.id).account.standing.reason
    assert "interrupted while renewing on 2030-01-01 12:00 (UTC); sign in again" in reason


def test_the_first_interruption_is_the_one_that_is_told(world):
    account = world.keep()
    for _ in range(3):
        world.endpoints.scripted = [ProviderUnavailable("the reply was lost")]
        with pytest.raises(ProviderUnavailable):
            try_to_renew(world, account)
        world.clock.sleep(timedelta(hours=1))

    refused(world, account, SignInNeeded, answer(400, {"error": "invalid_grant"}))

    assert "on 2030-01-01 12:00 (UTC)" in world.stands(account.id).account.standing.reason


@pytest.mark.parametrize(
    ("before", "refusal"),
    [
        (answer(429), answer(400, {"error": "invalid_grant"})),
        (ProviderUnavailable("lost"), answer(400, {"error": "refresh_token_expired"})),
    ],
)
def test_what_was_no_interruption_is_not_called_one(world, before, refusal):
    account = world.keep()
    world.endpoints.scripted = [before]
    with pytest.raises(ProviderUnavailable):
        try_to_renew(world, account)
    world.clock.sleep(LONGEST_PAUSE)

    error = refused(world, account, SignInNeeded, refusal)

    assert "interrupted" not in str(error)


def test_an_interruption_of_an_older_token_explains_nothing(world):
    account = world.keep(standing=Standing(sent=Sent(NOON, some_tokens("older").refresh.digest())))

    error = refused(world, account, SignInNeeded, answer(400, {"error": "invalid_grant"}))

    assert "interrupted" not in str(error)


def test_a_dead_token_that_comes_back_with_a_restored_row_is_not_sent_again(world):
    account = world.keep()
    refused(world, account, SignInNeeded, answer(400, {"error": "refresh_token_expired"}))
    restored = world.keep(id="acc_restored")

    with pytest.raises(SignInNeeded, match="refresh_token_expired"):
        try_to_renew(world, restored)

    assert len(world.endpoints.requests) == 1
    assert world.stands(restored.id).account.standing.state is State.SIGN_IN_NEEDED


def test_a_new_token_in_the_place_of_a_dead_one_is_tried(world):
    account = world.keep()
    refused(world, account, SignInNeeded, answer(400, {"error": "invalid_grant"}))
    anew = replace(account, generation=1, standing=Standing())
    world.ports.accounts.save(replace(world.stands(account.id), account=anew, tokens=some_tokens("two")), read=0)
    world.endpoints.live = "refresh-two"

    held = try_to_renew(world, account)

    assert held.tokens.access == Secret("access-renewed-1")


def test_a_holder_whose_lease_ran_out_while_it_wrote_sends_nothing(world):
    account = world.keep()
    caller = renewing(world, account)
    caller.reach(OwnsLease)
    world.clock.sleep(DEADLINE + timedelta(seconds=1))

    with pytest.raises(LeaseLost):
        caller.finish()

    assert world.endpoints.requests == []


def test_an_issuer_alone_is_enough_to_renew(world):
    account = world.keep()
    bare = replace(METHOD, authorize_url=None, token_url=None, revoke_url=None)
    world.endpoints.scripted = [
        answer(200, {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/token"})
    ]

    held = try_to_renew(world, account, replace(NEVER_DONE, method=bare))

    assert held.tokens.access == Secret("access-renewed-1")
    assert [request.method for request in world.endpoints.requests] == ["GET", "POST"]


def test_an_issuer_that_does_not_answer_is_a_fault_that_passes(world):
    account = world.keep()
    bare = replace(METHOD, token_url=None)
    world.endpoints.scripted = [answer(503)]

    with pytest.raises(ProviderUnavailable):
        try_to_renew(world, account, replace(NEVER_DONE, method=bare))

    assert world.stands(account.id).account.standing.retry_at is not None


def test_the_reason_of_an_earlier_failure_is_told_again():
    account = an_account(name="work", standing=Standing(state=State.BLOCKED, reason="the client is unknown"))

    with pytest.raises(Misconfigured, match="work is blocked: the client is unknown"):
        refuse_hopeless(account, METHOD, NOON)


def test_a_block_by_a_set_up_ends_when_the_set_up_is_changed():
    blocked = Standing(state=State.BLOCKED, reason="the client is unknown", setup=METHOD.setup)
    account = an_account(standing=blocked)

    with pytest.raises(Misconfigured):
        refuse_hopeless(account, METHOD, NOON)

    refuse_hopeless(account, replace(METHOD, client_id="corrected"), NOON)


def test_an_account_whose_pause_is_over_is_not_hopeless():
    account = an_account(standing=Standing(retry_at=NOON, failures=3))

    refuse_hopeless(account, METHOD, NOON)

    with pytest.raises(ProviderUnavailable):
        refuse_hopeless(account, METHOD, NOON - timedelta(seconds=1))
