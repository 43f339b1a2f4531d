"""Signing in with a code on another device: what is shown, who asks, and how it ends, whichever program looks."""

import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.domain.attempt import Status
from doorkey.domain.provider import DeviceDialect, Kind, Method
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, Misconfigured, ReplyRejected
from doorkey.flows.device_wire import GRANT_TYPE
from doorkey.service.sign_in import SignIns
from doorkey.testing.script import ISSUER, answer
from tests.service.fakes import ACME, CONTESTED, OAUTH

PATIENCE = 20.0  # How long a test waits for what must happen, before it fails.
GIVEN = {
    "device_code": "device-code-1",
    "user_code": "BCDF-GHJK",
    "verification_uri": f"{ISSUER}/device",
    "expires_in": 600,
    "interval": 5,
}
COMPLETE = f"{ISSUER}/device?user_code=BCDF-GHJK"
TOKENS = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600}
BOTH = replace(OAUTH, device_url=f"{ISSUER}/device_authorization")
ONLY = Method(
    id="device",
    kind=Kind.DEVICE_CODE,
    name="A code",
    client_id="client-1",
    device_url=BOTH.device_url,
    token_url=OAUTH.token_url,
)


class Person:
    """Somebody with another device: until they decide, the provider says that nobody has."""

    def __init__(self, house):
        self.endpoints = house.world.endpoints
        self.decided = None
        self.asked = threading.Event()
        self._given = GIVEN | {"verification_uri_complete": COMPLETE}
        self.endpoints.scripted = [self.answer] * 100

    def answer(self, request):
        if (request.form or {}).get("grant_type") != GRANT_TYPE:
            return answer(200, self._given)
        self.asked.set()
        return self.decided or answer(400, {"error": "authorization_pending"})

    def allow(self):
        self.decided = answer(200, TOKENS)

    def deny(self):
        self.decided = answer(400, {"error": "access_denied"})

    @property
    def questions(self):
        return [one for one in self.endpoints.requests if (one.form or {}).get("grant_type") == GRANT_TYPE]


class Turns:
    """Sleepers that a test wakes: time goes on only then."""

    def __init__(self, clock):
        self._clock = clock
        self._wake = threading.Semaphore(0)
        self.asleep = threading.Semaphore(0)
        self.spans = []

    def now(self):
        return self._clock.now()

    def sleep(self, span):
        self.spans.append(span)
        self.asleep.release()
        if self._wake.acquire(timeout=PATIENCE):
            self._clock.time += span

    def wake(self):
        """Let the next sleeper go on."""
        assert self.asleep.acquire(timeout=PATIENCE)
        self._wake.release()


@pytest.fixture
def person(house):
    return Person(house)


@pytest.fixture
def turns(house):
    turns = Turns(house.clock)
    runtime = SyncRuntime(replace(house.world.ports, clock=turns))
    house.sign_ins = SignIns(replace(house.sign_ins._world, runner=runtime))
    yield turns
    for _ in range(50):  # Nobody sleeps on when the test is over.
        turns._wake.release()


def offer(house, *methods):
    house.catalog.providers = (replace(ACME, methods=methods),)


@pytest.fixture
def started(house, person, turns):
    offer(house, BOTH)
    return house.sign_ins.start("acme", device=True, name="work")


@pytest.fixture
def elsewhere(house, turns):
    """Another process over the same vault."""
    return SignIns(house.sign_ins._world)


def test_a_code_is_shown_and_no_port_is_held(house, started):
    assert started.state is Status.WAITING
    assert started.attempt.device.user_code == "BCDF-GHJK"
    assert (started.url, started.listener) == (COMPLETE, None)
    assert house.listen.opened == []


def test_a_method_that_has_nothing_else_needs_no_asking_for(house, person, turns):
    offer(house, ONLY)

    started = house.sign_ins.start("acme")

    assert started.attempt.device.user_code == "BCDF-GHJK"


def test_who_allows_it_on_another_device_is_signed_in(house, started, person, turns):
    turns.wake()
    assert person.asked.wait(PATIENCE)
    person.allow()
    turns.wake()

    assert started.over.wait(PATIENCE)
    assert (started.state, started.account) == (Status.SIGNED_IN, house.book.find("work"))
    assert house.choices.get("served:acme") == started.account.id
    assert len(person.questions) == 2


def test_who_denies_it_ends_it(house, started, person, turns):
    person.deny()
    turns.wake()

    assert started.over.wait(PATIENCE)
    assert started.state is Status.FAILED
    assert started.failure.code == "sign_in_failed"
    assert house.book.all() == []


def test_looking_often_asks_no_oftener(house, started, person, turns):
    for _ in range(20):
        assert house.sign_ins.find(started.id) is started

    assert turns.asleep.acquire(timeout=PATIENCE)
    assert not turns.asleep.acquire(blocking=False)
    assert person.questions == []


def test_a_cancelled_sign_in_is_not_asked_about_again(house, started, person, turns):
    house.sign_ins.cancel(started.id)
    turns.wake()

    house.sign_ins._devices._asking[started.id].exception(PATIENCE)
    assert started.state is Status.CANCELLED
    assert house.world.status(started.id) is Status.CANCELLED
    assert person.questions == []


def test_a_cancel_that_comes_after_the_tokens_changes_nothing(house, started, person, turns):
    house.world.ports.attempts.save(replace(started.attempt, status=Status.EXCHANGING), was=Status.WAITING)

    house.sign_ins.cancel(started.id)

    assert not started.over.is_set()
    assert house.world.status(started.id) is Status.EXCHANGING


def test_a_cancel_by_another_program_ends_it_here(house, started, elsewhere, turns):
    elsewhere.cancel(started.id)

    assert house.sign_ins.find(started.id).state is Status.CANCELLED


def test_another_program_that_looks_sees_the_code_and_does_not_ask(house, started, elsewhere, person, turns):
    assert turns.asleep.acquire(timeout=PATIENCE)

    found = elsewhere.find(started.id)

    elsewhere._devices._asking[started.id].result(PATIENCE)
    assert found.attempt.device == started.attempt.device
    assert (found.url, found.state) == (COMPLETE, Status.WAITING)
    assert person.questions == []


def test_another_program_that_looks_sees_the_end(house, started, elsewhere, person, turns):
    found = elsewhere.find(started.id)
    person.allow()
    turns.wake()
    assert started.over.wait(PATIENCE)

    assert elsewhere.find(started.id) is found
    assert (found.state, found.account) == (Status.SIGNED_IN, started.account)


def test_whoever_looks_goes_on_asking_for_a_program_that_died(house, person, turns):
    offer(house, BOTH)
    dead = SignIns(replace(house.sign_ins._world, runner=Deaf(house.sign_ins._world.runner)))
    begun = dead.start("acme", device=True)
    person.allow()

    found = house.sign_ins.find(begun.id)
    turns.wake()

    assert found.over.wait(PATIENCE)
    assert found.state is Status.SIGNED_IN


class Deaf:
    """Fill `ports.Runner` for a program that was killed before it asked."""

    def __init__(self, runner):
        self._runner = runner
        self.run = runner.run

    def start(self, flow):
        flow.close()
        return Future()


def test_a_bug_while_asking_still_ends_it(house, started, person, turns):
    person.endpoints.scripted = [ZeroDivisionError("a bug")]
    turns.wake()

    assert started.over.wait(PATIENCE)
    assert started.state is Status.FAILED


def test_nothing_can_be_pasted_into_it(house, started):
    with pytest.raises(ReplyRejected):
        house.sign_ins.reply(started.id, "http://127.0.0.1/callback?code=x&state=y")

    assert started.state is Status.WAITING


def test_a_sign_in_that_nobody_decides_ends_with_its_codes(house, started, person, turns):
    house.clock.sleep(timedelta(seconds=600))
    turns.wake()

    assert started.over.wait(PATIENCE)
    assert "expired" in str(started.failure)
    assert person.questions == []


def test_a_method_without_a_device_code_says_how_else(house):
    with pytest.raises(Misconfigured, match="no device code") as caught:
        house.sign_ins.start("acme", device=True)

    assert "--paste" in caught.value.hint


def test_a_key_has_no_device_code(house):
    with pytest.raises(Misconfigured, match="no device code"):
        house.sign_ins.start("acme", "api-key", device=True)


def test_the_notice_comes_before_the_code(house, person):
    offer(house, replace(CONTESTED, device_url=BOTH.device_url))

    with pytest.raises(ConsentNeeded):
        house.sign_ins.start("acme", device=True)

    assert person.endpoints.requests == []


def test_an_issuer_alone_tells_its_device_address(house, turns):
    offer(house, replace(ONLY, issuer=ISSUER, device_url=None, token_url=None))
    metadata = {
        "issuer": ISSUER,
        "device_authorization_endpoint": f"{ISSUER}/d",
        "token_endpoint": f"{ISSUER}/token",
    }
    house.world.endpoints.scripted = [answer(200, metadata), answer(200, GIVEN)]

    started = house.sign_ins.start("acme")

    assert house.world.endpoints.requests[1].url == f"{ISSUER}/d"
    assert started.url == f"{ISSUER}/device"


def test_a_method_speaks_its_own_dialect(house, turns):
    offer(house, replace(BOTH, device_dialect=DeviceDialect.CODEX))
    house.world.endpoints.scripted = [answer(200, {"device_auth_id": "auth-1", "user_code": "ABCD-1234"})]

    started = house.sign_ins.start("acme", device=True)

    assert started.attempt.device.code == Secret("auth-1")
    assert started.url == f"{ISSUER}/codex/device"
