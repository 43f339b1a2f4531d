"""The two runtimes answer the same flows in the same way, and lose nothing when a caller leaves."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from doorkey.adapters.runtime.aio import AsyncRuntime
from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable, SignInNeeded, StoreBusy, UnknownName
from doorkey.flows import steps
from doorkey.flows.refresh import LEASE
from doorkey.flows.steps import Cancelled, Request
from doorkey.flows.valid_tokens import Need, valid_tokens
from doorkey.testing.script import METHOD, World, answer
from doorkey.testing.values import HOUR, NOON

SOON = 10.0  # How long a test waits for what must happen, before it fails.


def by_sync(world):
    return SyncRuntime(world.ports).run


def by_asyncio(world):
    return lambda flow: asyncio.run(AsyncRuntime(SyncRuntime(world.ports)).run(flow))


both = pytest.mark.parametrize("runner", [by_sync, by_asyncio])


class Held:
    """Hold a call of a port up until the test lets it go on; tells when it began."""

    def __init__(self, call):
        self._call = call
        self.began, self.go_on = Event(), Event()

    def __call__(self, *arguments, **named):
        self.began.set()
        assert self.go_on.wait(SOON)
        return self._call(*arguments, **named)


class Telling:
    """Fill a port, telling when one of its methods has returned; what it holds up waits for the test."""

    def __init__(self, port):
        self._port = port
        self.done: dict[str, Event] = {}
        self.held: dict[str, Held] = {}

    def hold(self, name):
        held = self.held[name] = Held(getattr(self._port, name))
        return held

    def told(self, name):
        return self.done.setdefault(name, Event())

    def __getattr__(self, name):
        call = self.held.get(name) or getattr(self._port, name)

        def calling(*arguments, **named):
            try:
                return call(*arguments, **named)
            finally:
                self.told(name).set()

        return calling


class Scene:
    """A world with an expired token whose ports tell what happens to them."""

    def __init__(self):
        self.world = World()
        self.account = self.world.keep()
        self.world.clock.time = NOON + HOUR
        self.accounts = Telling(self.world.ports.accounts)
        self.leases = Telling(self.world.ports.leases)
        self.transport = Telling(self.world.ports.transport)
        ports = replace(self.world.ports, accounts=self.accounts, leases=self.leases, transport=self.transport)
        self.sync = SyncRuntime(ports)
        self.aio = AsyncRuntime(self.sync)

    def flow(self):
        return valid_tokens(Need(account=self.account.id, method=METHOD))

    @property
    def stands(self):
        return self.world.stands(self.account.id)

    def is_free(self):
        return self.world.ports.leases.take(self.account.id, LEASE) is not None


def everything(seen):
    """A flow that asks for a bit of everything, and keeps what it was answered."""
    seen.append((yield from steps.now()))
    seen.append((yield from steps.random(4)))
    seen.append((yield from steps.send(Request(method="GET", url="https://a.example"))).status)
    yield from steps.sleep(timedelta(0))
    seen.append((yield from steps.take_lease("acc", LEASE)) is not None)
    yield from steps.detach()
    try:
        yield from steps.load("nobody")
    except UnknownName as error:
        seen.append(error.code)
    yield from steps.detach()
    seen.append((yield from steps.now()))
    return len(seen)


def test_both_runtimes_answer_the_same_flow_in_the_same_way():
    by_thread: list[object] = []
    by_loop: list[object] = []

    results = [by_sync(World())(everything(by_thread)), by_asyncio(World())(everything(by_loop))]

    assert by_thread == by_loop == [NOON, (1).to_bytes(4, "big"), 200, True, "unknown_name", NOON]
    assert results == [6, 6]


@both
def test_a_flow_without_steps_is_run(runner):
    def nothing():
        yield from ()
        return 7

    assert runner(World())(nothing()) == 7


@both
def test_an_expired_token_is_renewed(runner):
    scene = Scene()

    held = runner(scene.world)(scene.flow())

    assert held == scene.stands
    assert held.tokens.access == Secret("access-renewed-1")


@both
@pytest.mark.parametrize("detached", [False, True])
def test_what_goes_wrong_in_an_adapter_enters_the_flow(runner, detached):
    world, caught = World(), []
    world.endpoints.scripted = [StoreBusy("busy"), ZeroDivisionError("a bug")]

    def flow():
        if detached:
            yield from steps.detach()
        for error in (StoreBusy, ZeroDivisionError):
            try:
                yield from steps.send(Request(method="GET", url="https://a.example"))
            except error as raised:
                caught.append(type(raised))
        return "went on"

    assert runner(world)(flow()) == "went on"
    assert caught == [StoreBusy, ZeroDivisionError]


@both
@pytest.mark.parametrize(
    ("response", "error"),
    [(answer(503), ProviderUnavailable), (answer(401), SignInNeeded), (ZeroDivisionError("a bug"), ZeroDivisionError)],
)
def test_an_error_reaches_the_caller_and_the_lease_is_given_back(runner, response, error):
    scene = Scene()
    scene.world.endpoints.scripted = [response]

    with pytest.raises(error):
        runner(scene.world)(scene.flow())

    assert scene.is_free()


class Interrupting:
    """Fill `ports.Clock` for somebody who presses Ctrl-C while waiting."""

    def __init__(self, clock):
        self.now = clock.now

    def sleep(self, span):
        raise KeyboardInterrupt


def test_ctrl_c_enters_the_flow_which_may_tidy_up():
    world, seen = World(), []
    runtime = SyncRuntime(replace(world.ports, clock=Interrupting(world.clock)))

    def flow():
        lease = yield from steps.take_lease("acc", LEASE)
        try:
            yield from steps.sleep(timedelta(hours=1))
        except Cancelled:
            seen.append("cancelled")
            raise
        finally:
            if lease is not None:
                yield from steps.release_lease(lease)

    with pytest.raises(KeyboardInterrupt):
        runtime.run(flow())

    assert seen == ["cancelled"]
    assert world.ports.leases.take("acc", LEASE) is not None


def test_ctrl_c_stays_ctrl_c_when_the_tidying_up_fails():
    world = World()
    runtime = SyncRuntime(replace(world.ports, clock=Interrupting(world.clock)))

    def flow():
        try:
            yield from steps.sleep(timedelta(hours=1))
        finally:
            yield from steps.load("nobody")

    with pytest.raises(KeyboardInterrupt):
        runtime.run(flow())


def test_a_thread_that_stops_waiting_does_not_stop_the_renewal():
    scene = Scene()
    sending = scene.transport.hold("send")

    started = scene.sync.start(scene.flow())
    assert sending.began.wait(SOON)
    with pytest.raises(TimeoutError):
        started.result(timeout=0)
    sending.go_on.set()

    assert started.result(SOON) == scene.stands
    assert scene.stands.account.generation == 1


def test_what_is_detached_runs_in_a_thread_that_the_interpreter_waits_for():
    threads = []

    def flow():
        yield from steps.detach()
        threads.append(threading.current_thread())

    SyncRuntime(World().ports).run(flow())

    assert not threads[0].daemon
    assert threads[0] is not threading.current_thread()


async def test_a_task_that_is_cancelled_after_the_request_does_not_stop_the_renewal():
    scene = Scene()
    sending, saved = scene.transport.hold("send"), scene.accounts.told("save")
    task = asyncio.ensure_future(scene.aio.run(scene.flow()))
    assert await asyncio.to_thread(sending.began.wait, SOON)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not saved.is_set()
    sending.go_on.set()

    assert await asyncio.to_thread(saved.wait, SOON)
    assert scene.stands.account.generation == 1


async def test_a_task_that_is_cancelled_while_it_takes_the_lease_finishes_what_it_began():
    scene = Scene()
    taking, released = scene.leases.hold("take"), scene.leases.told("release")
    task = asyncio.ensure_future(scene.aio.run(scene.flow()))
    assert await asyncio.to_thread(taking.began.wait, SOON)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    taking.go_on.set()

    assert await asyncio.to_thread(released.wait, SOON)
    assert scene.stands.account.generation == 1
    assert scene.is_free()


async def test_a_task_that_is_cancelled_while_it_waits_for_another_leaves_at_once():
    scene = Scene()
    scene.world.ports.leases.take(scene.account.id, LEASE)
    refused = scene.leases.told("take")
    task = asyncio.ensure_future(scene.aio.run(scene.flow()))
    assert await asyncio.to_thread(refused.wait, SOON)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert scene.world.endpoints.refreshes == 0


@pytest.mark.parametrize("port", ["leases.take", "transport.send", "accounts.save"])
def test_a_loop_that_ends_in_the_middle_loses_neither_pair_nor_lease(port, caplog):
    scene = Scene()
    name, method = port.split(".")
    held, released = getattr(scene, name).hold(method), scene.leases.told("release")

    async def leave_early():
        task = asyncio.ensure_future(scene.aio.run(scene.flow()))
        assert await asyncio.to_thread(held.began.wait, SOON)
        return task

    task = asyncio.run(leave_early())
    held.go_on.set()

    assert task.cancelled()
    assert released.wait(SOON)
    assert scene.stands.tokens.refresh == Secret(scene.world.endpoints.live or "")
    assert scene.stands.account.generation == 1
    assert scene.is_free()
    assert caplog.records == []


async def test_the_loop_stays_free_while_a_step_is_answered():
    scene = Scene()
    loading = scene.accounts.hold("load")

    task = asyncio.ensure_future(scene.aio.run(scene.flow()))
    assert await asyncio.to_thread(loading.began.wait, SOON)
    loading.go_on.set()

    assert await task == scene.stands


def test_a_future_of_the_sync_runtime_carries_the_error():
    scene = Scene()
    scene.world.endpoints.scripted = [answer(401)]

    started: Future[object] = scene.sync.start(scene.flow())

    with pytest.raises(SignInNeeded):
        started.result(SOON)


def test_closing_waits_for_what_was_sent():
    scene = Scene()
    sending = scene.transport.hold("send")
    scene.sync.start(scene.flow())
    assert sending.began.wait(SOON)
    closing = threading.Thread(target=scene.sync.close)

    closing.start()
    sending.go_on.set()
    closing.join(SOON)

    assert not closing.is_alive()
    assert scene.stands.account.generation == 1


@both
def test_after_closing_nothing_more_is_sent(runner):
    scene = Scene()
    scene.sync.close()
    run = {by_sync: scene.sync.run, by_asyncio: lambda flow: asyncio.run(scene.aio.run(flow))}[runner]

    with pytest.raises(Cancelled):
        run(scene.flow())

    assert scene.world.endpoints.requests == []
    assert scene.is_free()
