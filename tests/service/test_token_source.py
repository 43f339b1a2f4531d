import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.account import Standing, State
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable, SignInNeeded
from doorkey.service.resolve import Wish
from doorkey.testing.script import METHOD, answer
from doorkey.testing.values import HOUR, NOON, held, some_tokens
from tests.service.fakes import IN_ENVIRONMENT

STALE = NOON + HOUR - timedelta(seconds=100)
PATIENCE = 20.0  # How long a test waits for what must happen, before it fails.
NEW = Secret("access-renewed-1")


def source_of(house, provider="acme"):
    return house.sources.of(house.resolver.choose(Wish(provider=provider)))


def async_source_of(house, provider="acme"):
    return house.sources.async_of(house.resolver.choose(Wish(provider=provider)))


class Slow:
    """A token endpoint that answers the first request when it is told to."""

    def __init__(self, endpoints):
        self.began, self.go_on = threading.Event(), threading.Event()
        endpoints.scripted = [self._answer]

    def _answer(self, request):
        self.began.set()
        assert self.go_on.wait(PATIENCE)
        return answer(200, {"access_token": "access-renewed-1", "refresh_token": "refresh-two", "expires_in": 3600})


@pytest.fixture
def fresh(house):
    """A house with one account whose token is fresh."""
    house.keep()
    return house


@pytest.fixture
def expired(house):
    """A house with one account whose token has ended."""
    house.keep()
    house.clock.time = NOON + HOUR
    return house


def replaced_by_another_process(house):
    """Another process signs in again: what it saves is not told to ours."""
    (account,) = house.world.ports.accounts.all()
    newer = replace(account, generation=account.generation + 1)
    assert house.world.ports.accounts.save(held(some_tokens("newer"), **_fields(newer)), read=account.generation)


def _fields(account):
    return {name: getattr(account, name) for name in account.__slots__}


def test_a_fresh_token_is_handed_out_without_a_look_at_the_vault(fresh):
    source = source_of(fresh)
    source.get()
    fresh.accounts.counts.clear()

    tokens = {source.get() for _ in range(1000)}

    assert tokens == {some_tokens().access}
    assert fresh.accounts.counts == {}


async def test_a_fresh_token_costs_asyncio_no_thread_and_no_look_at_the_vault(fresh):
    source = async_source_of(fresh)
    await source.get()
    fresh.accounts.counts.clear()
    steps = source.get()

    with pytest.raises(StopIteration) as at_once:
        steps.send(None)

    assert at_once.value.value == some_tokens().access
    assert fresh.accounts.counts == {}


def test_the_vault_is_read_again_only_when_it_changed(fresh):
    source = source_of(fresh)
    source.held()
    fresh.accounts.counts.clear()

    source.held()
    assert fresh.accounts.counts == {"version": 1}
    replaced_by_another_process(fresh)
    source.held()

    assert fresh.accounts.counts["load"] == 1
    assert source.get() == Secret("access-newer")


@pytest.mark.slow
def test_a_change_by_another_process_is_noticed_after_a_second(fresh):
    source = source_of(fresh)
    source.get()
    replaced_by_another_process(fresh)
    end = time.monotonic() + PATIENCE

    assert source.get() == some_tokens().access
    while source.get() != Secret("access-newer"):
        assert time.monotonic() < end


def test_a_look_that_was_overtaken_does_not_hide_the_change(fresh):
    source = source_of(fresh)
    overtaken = source.held()
    replaced_by_another_process(fresh)
    source.held()

    source.remember(overtaken)

    assert source.held().tokens == some_tokens("newer")


def test_a_stale_token_is_served_but_not_kept_so_that_its_renewal_is_noticed(fresh):
    fresh.clock.time = STALE
    fresh.world.endpoints.scripted = [answer(503)]
    source = source_of(fresh)

    assert source.get() == some_tokens().access
    assert source.peek() is None


def test_a_stale_token_is_served_at_once_while_it_is_renewed_beside(fresh):
    fresh.clock.time = STALE
    slow = Slow(fresh.world.endpoints)
    source = source_of(fresh)

    served = source.get()
    assert slow.began.wait(PATIENCE)
    again = source.get()
    slow.go_on.set()
    fresh.sources.close()

    assert served == again == some_tokens().access
    assert source.get() == NEW
    assert len(fresh.world.endpoints.requests) == 1


async def test_a_stale_token_is_served_at_once_to_asyncio_too(fresh):
    fresh.clock.time = STALE
    source = async_source_of(fresh)

    served = await source.get()
    await asyncio.to_thread(fresh.sources.close)

    assert served == some_tokens().access
    assert await source.get() == NEW


def test_who_hands_a_token_on_waits_until_it_is_renewed(fresh):
    fresh.clock.time = STALE

    held = source_of(fresh).held()

    assert held.tokens.access == NEW


def test_a_stale_token_that_is_too_short_is_not_served(fresh):
    fresh.clock.time = STALE

    assert source_of(fresh).get(timedelta(seconds=99)) == some_tokens().access
    assert source_of(fresh).get(timedelta(seconds=101)) == NEW


def test_a_stale_token_is_not_tried_again_while_the_fault_pauses(fresh):
    fresh.clock.time = STALE
    fresh.world.endpoints.scripted = [answer(503)]
    source = source_of(fresh)

    for _ in range(3):
        assert source.get() == some_tokens().access
        fresh.sources.close()

    assert len(fresh.world.endpoints.requests) == 1


def test_a_dead_sign_in_is_told_while_its_last_token_still_lives(fresh):
    fresh.clock.time = STALE
    fresh.world.endpoints.scripted = [answer(401)]
    source = source_of(fresh)
    source.get()
    fresh.sources.close()

    with pytest.raises(SignInNeeded):
        source.get()


def test_many_who_look_at_once_read_a_changed_account_once(expired):
    source = source_of(expired)
    need = source.need()
    expired.accounts.counts.clear()

    with ThreadPoolExecutor(50) as threads:
        looks = list(threads.map(source.settle, [need] * 50))

    assert looks == [None] * 50
    assert expired.accounts.counts["load"] == 1


def test_an_expired_token_is_renewed(expired):
    source = source_of(expired)

    assert source.get() == source.get() == NEW
    assert expired.world.endpoints.refreshes == 1


def test_fifty_threads_on_an_expired_token_make_one_refresh(expired):
    source = source_of(expired)
    ready = threading.Barrier(50)

    def get():
        ready.wait(PATIENCE)
        return source.get()

    with ThreadPoolExecutor(50) as threads:
        tokens = [each.result(PATIENCE) for each in [threads.submit(get) for _ in range(50)]]

    assert set(tokens) == {NEW}
    assert expired.world.endpoints.refreshes == 1


def test_who_comes_while_a_renewal_is_under_way_here_asks_the_vault_nothing(expired):
    slow = Slow(expired.world.endpoints)
    source = source_of(expired)

    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(source.get)
        assert slow.began.wait(PATIENCE)
        expired.accounts.counts.clear()
        looks = list(threads.map(source.settle, [source.need()] * 20))
        asked = dict(expired.accounts.counts)
        slow.go_on.set()

        assert first.result(PATIENCE) == NEW
    assert looks == [None] * 20
    assert asked == {}


def test_a_stale_token_is_served_at_once_also_while_its_renewal_is_under_way(fresh):
    slow = Slow(fresh.world.endpoints)
    source = source_of(fresh)
    fresh.clock.time = STALE
    source.get()
    assert slow.began.wait(PATIENCE)

    served = source.get()

    slow.go_on.set()
    fresh.sources.close()
    assert served == Secret("access-one")


def test_after_the_first_renewal_it_gets_ready_for_the_next(expired):
    source = source_of(expired)
    source.get()
    expired.clock.time += 2 * HOUR

    source.get()

    assert expired.readied == [METHOD.token_url]


async def test_after_the_first_renewal_for_asyncio_it_gets_ready_for_the_next(expired):
    await async_source_of(expired).get()

    assert expired.readied == [METHOD.token_url]


async def test_fifty_tasks_on_an_expired_token_make_one_refresh(expired):
    source = async_source_of(expired)

    tokens = await asyncio.gather(*(source.get() for _ in range(50)))

    assert set(tokens) == {NEW}
    assert expired.world.endpoints.refreshes == 1


async def test_threads_and_tasks_share_one_refresh(expired):
    sync, aio = source_of(expired), async_source_of(expired)

    tokens = await asyncio.gather(*(asyncio.to_thread(sync.get) for _ in range(5)), *(aio.get() for _ in range(5)))

    assert set(tokens) == {NEW}
    assert expired.world.endpoints.refreshes == 1


async def test_a_task_that_is_cancelled_does_not_take_the_others_token_away(expired):
    source = async_source_of(expired)
    others = asyncio.gather(*(source.get() for _ in range(3)))
    leaving = asyncio.ensure_future(source.get())
    await asyncio.sleep(0)

    leaving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert set(await others) == {NEW}


def test_a_refused_token_is_renewed_once_for_everybody(fresh):
    fresh.clock.time = NOON + timedelta(minutes=10)
    source = source_of(fresh)
    refused = source.get()

    assert source.renew(refused) == source.renew(refused) == source.get() == NEW
    assert fresh.world.endpoints.refreshes == 1


def test_a_refused_token_that_was_renewed_less_than_a_minute_ago_comes_back(fresh):
    source = source_of(fresh)
    renewed = source.renew(source.get())

    assert source.renew(renewed) == renewed
    assert fresh.world.endpoints.refreshes == 1


async def test_a_refused_token_is_renewed_for_asyncio_too(fresh):
    fresh.clock.time = NOON + timedelta(minutes=10)
    source = async_source_of(fresh)

    assert await source.renew(await source.get()) == NEW


def test_who_needs_longer_gets_a_newer_token(fresh):
    fresh.clock.time = NOON + timedelta(minutes=30)
    source = source_of(fresh)
    source.get()

    assert source.get(timedelta(minutes=20)) == some_tokens().access
    assert source.get(timedelta(minutes=40)) == NEW


@pytest.mark.parametrize(("response", "error"), [(answer(503), ProviderUnavailable), (answer(401), SignInNeeded)])
def test_every_waiting_thread_is_told_what_went_wrong(expired, response, error):
    expired.world.endpoints.scripted = [response]
    source = source_of(expired)

    for _ in range(2):
        with pytest.raises(error):
            source.get()

    assert len(expired.world.endpoints.requests) == 1


def test_an_expired_token_is_never_handed_out_of_the_cache(fresh):
    source = source_of(fresh)
    source.held()
    fresh.clock.time = NOON + HOUR
    fresh.world.endpoints.scripted = [answer(503)]

    with pytest.raises(ProviderUnavailable):
        source.held()


def test_an_account_has_one_source_in_a_process(fresh):
    assert source_of(fresh) is source_of(fresh)


def test_a_changed_config_makes_a_new_source(fresh):
    before = source_of(fresh)
    acme, *rest = fresh.catalog.providers
    changed = replace(acme.methods[0], scopes=("more",))
    fresh.catalog.providers = (replace(acme, methods=(changed,)), *rest)

    assert source_of(fresh) is not before


async def test_a_key_from_the_environment_is_what_it_is(house):
    house.surroundings.keys = [IN_ENVIRONMENT]
    source, aio = source_of(house), async_source_of(house)

    assert source.get() == source.renew(IN_ENVIRONMENT.secret) == IN_ENVIRONMENT.secret
    assert await aio.get() == await aio.renew(IN_ENVIRONMENT.secret) == IN_ENVIRONMENT.secret


def test_a_kept_key_is_handed_out_and_never_renewed(house):
    house.keep_key()
    source = source_of(house)

    assert source.get() == source.renew(source.get()) == some_tokens().access
    assert house.world.endpoints.requests == []


def test_an_account_that_is_switched_off_has_no_source(house):
    house.keep(standing=Standing(state=State.OFF))

    with pytest.raises(Misconfigured, match="switched off"):
        source_of(house)


async def test_the_practice_provider_is_asked_for_only_when_calls_follow(fresh):
    source_of(fresh)
    source = async_source_of(fresh)
    assert fresh.practice.asked == []

    await source.get()

    assert fresh.practice.asked == ["acme"]
