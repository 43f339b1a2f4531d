from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import Origins, Proof, Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, OriginChanged, ProviderUnavailable, SignInNeeded
from doorkey.flows.refresh import DEADLINE, LEASE, LONGEST_PAUSE, Lapse, refuse_hopeless, renew
from doorkey.testing.script import ISSUER, METHOD, answer
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


@pytest.mark.parametrize(("said", "pause"), [("3", 3), ("15", 15), ("86400", 15), ("0", 0)])
def test_retry_after_is_honoured_up_to_the_cap(world, said, pause):
    account = world.keep()

    refused(world, account, ProviderUnavailable, answer(429, retry_after=said))

    assert world.stands(account.id).account.standing.retry_at == NOON + timedelta(seconds=pause)


@pytest.mark.parametrize("said", ["soon", "-5", "1.5", "Tue, 01 Jan 2030 12:00:10 GMT", "9" * 9])
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
