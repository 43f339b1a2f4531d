"""Whatever programs, clocks, crashes and a strict provider do to one account: its sign-in is lost to nobody of ours."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doorkey.adapters.store.machine import Process
from doorkey.domain.account import Held, Standing, State
from doorkey.errors import ProviderUnavailable
from doorkey.flows.refresh import GRACE
from doorkey.flows.steps import Load, OwnsLease, Save, SaveStanding, Send, Sleep
from doorkey.flows.valid_tokens import Need, valid_tokens
from doorkey.testing.clock import FakeClock
from doorkey.testing.script import METHOD, Caller, Endpoints, World, answer
from doorkey.testing.values import some_tokens

PROGRAMS = 3
CALLERS = 6
FAULTS = ("refuse", "throttle", "lose", "garble", "revoke", "expire", "call_reused")
LONGEST_WAY = 25  # Steps that a caller takes until it has sent, where nobody is in its way.


@dataclass(slots=True)
class Time(FakeClock):
    """A wall clock that can be set, beside one that only goes forward."""

    uptime: timedelta = timedelta(seconds=1000)

    def sleep(self, span):
        self.time += span
        self.uptime += span


@dataclass
class Seat:
    """Fill `Machine`: the place of one program on a computer that all of them share."""

    pid: int
    time: Time
    dead: set[int]
    boot: str = "boot"

    def uptime(self):
        return self.time.uptime.total_seconds()

    def now(self):
        return self.time.now()

    def this_process(self):
        return Process(boot=self.boot, namespace=1, pid=self.pid, started=1)

    def is_dead(self, process):
        return process.pid in self.dead


@dataclass(eq=False)
class Use:
    """A refresh token that was sent, by whom, what the provider made of it, and whether that is not stored yet."""

    token: str
    caller: Caller[Held]
    fate: str
    in_hand: bool = True


@dataclass(slots=True)
class Grants(Endpoints):
    """A strict server with a grant for each sign-in: a spent refresh token ends its own grant, and no other.

    `fate` is what the last answer means for the token that was sent: `rotated`, `refused`, `lost`, `dead`, `revoked`.
    """

    heirs: dict[str, str] = field(default_factory=lambda: {"refresh-one": "refresh-one"})
    fate: str = "rotated"
    lifetime: int = 3600
    signed_in: int = 0

    def sign_in(self):
        self.signed_in += 1
        word = f"signed-in-{self.signed_in}"
        self.heirs[f"refresh-{word}"] = f"refresh-{word}"
        return word

    def lives(self, token):
        return token in self.heirs.values()

    def send(self, request):
        self.fate = "rotated"
        return Endpoints.send(self, request)

    def _rotate(self, presented):
        self.refreshes += 1
        if not self.lives(presented):
            family = presented.partition("+")[0]
            self.heirs.pop(family, None)
            self.fate = "dead"
            return answer(400, {"error": "invalid_grant"})
        family = presented.partition("+")[0]
        self.heirs[family] = f"{family}+{self.refreshes}"
        pair = {"access_token": f"access-{self.refreshes}", "refresh_token": self.heirs[family]}
        return answer(200, pair | {"expires_in": self.lifetime})

    def refuse(self, request):
        self.fate = "refused"
        return answer(503)

    def throttle(self, request):
        self.fate = "refused"
        return answer(429, retry_after="30")

    def lose(self, request):
        self._rotate(request.form["refresh_token"].reveal())
        self.fate = "lost"
        raise ProviderUnavailable("The reply was lost.")

    def garble(self, request):
        self._rotate(request.form["refresh_token"].reveal())
        self.fate = "lost"
        return answer(200, b"<html>")

    def revoke(self, request):
        return self._end(request, "refresh_token_invalidated")

    def expire(self, request):
        return self._end(request, "invalid_grant")

    def call_reused(self, request):
        return self._end(request, "refresh_token_reused")

    def _end(self, request, error):
        family = request.form["refresh_token"].reveal().partition("+")[0]
        self.heirs.pop(family, None)
        self.fate = "revoked"
        return answer(400, {"error": error})


class Program:
    """A process of the person's, with what its callers are doing; asleep, it does nothing."""

    def __init__(self, pid, world):
        self.pid = pid
        self.world = world
        self.callers: list[Caller[Held]] = []
        self.asleep = False


class VaultMachine(RuleBasedStateMachine):
    """Several programs over one vault, one step at a time."""

    def __init__(self):
        super().__init__()
        self.resources = ExitStack()
        self.time = Time()
        self.provider = Grants()
        self.dead: set[int] = set()
        self.pids = 100
        self.uses: list[Use] = []
        self.needs: dict[Caller[Held], Need] = {}
        self.read_at: dict[Caller[Held], int] = {}
        self.clock_was_set = 0

    def open_vault(self, seat):
        raise NotImplementedError

    def seat(self, pid, number):
        """Give the program of this number its place; here all are on one computer."""
        return Seat(pid, self.time, self.dead)

    @initialize()
    def everybody_starts(self):
        self.programs = [self.start(number) for number in range(PROGRAMS)]
        self.account = self.programs[0].world.keep(id="acc_1").id
        self.time.sleep(timedelta(hours=1))
        self.generation, self.refresh = 0, some_tokens().refresh

    def start(self, number):
        self.pids += 1
        vault = self.open_vault(self.seat(self.pids, number))
        return Program(self.pids, World(vault=vault, clock=self.time, endpoints=self.provider))

    def teardown(self):
        for caller in self.living():
            caller.die()
        self.resources.close()

    # What the person and the computer do.

    @rule(
        numbers=st.lists(st.integers(0, PROGRAMS - 1), min_size=1, max_size=3),
        rejects=st.booleans(),
        minutes=st.sampled_from([0, 0, 40]),
        later=st.sampled_from([0, 1, 1]),
    )
    def some_ask_perhaps_an_hour_later(self, numbers, rejects, minutes, later):
        self.time.sleep(timedelta(hours=later))
        rejected = self.stands().tokens.access if rejects else None
        need = Need(account=self.account, method=METHOD, rejected=rejected, at_least=timedelta(minutes=minutes))
        for number in numbers[: CALLERS - len(self.living())]:
            program = self.programs[number]
            caller = Caller(program.world, valid_tokens(need))
            self.needs[caller] = need
            program.callers.append(caller)

    @precondition(lambda self: self.awake())
    @rule(turns=st.lists(st.integers(0, CALLERS - 1), min_size=10, max_size=60))
    def they_take_turns(self, turns):
        for turn in turns:
            self.somebody_moves(turn)

    def somebody_moves(self, turn):
        if awake := self.awake():
            self.move(awake[turn % len(awake)])

    @precondition(lambda self: self.awake())
    @rule(choice=st.integers(0, CALLERS - 1), steps=st.integers(1, 20))
    def somebody_goes_on(self, choice, steps):
        awake = self.awake()
        for _ in range(steps):
            self.move(awake[choice % len(awake)])

    @precondition(lambda self: self.awake())
    @rule(choice=st.integers(0, CALLERS - 1))
    def somebody_goes_on_until_the_answer_is_there(self, choice):
        awake = self.awake()
        caller = awake[choice % len(awake)]
        for _ in range(LONGEST_WAY):
            if not self.in_hand(caller):
                self.move(caller)

    @rule(number=st.integers(0, PROGRAMS - 1))
    def a_program_is_killed(self, number):
        self.kill(number)

    def kill(self, number):
        killed = self.programs[number]
        for caller in killed.callers:
            for use in self.in_hand(caller):
                use.fate, use.in_hand = "killed", False
            caller.die()
        self.dead.add(killed.pid)
        self.programs[number] = self.start(number)

    @rule(number=st.integers(0, PROGRAMS - 1))
    def a_program_is_stopped_or_goes_on(self, number):
        self.programs[number].asleep = not self.programs[number].asleep

    @rule(span=st.sampled_from([1, 25, 45, 3300, 3600, 40_000]), set_by=st.sampled_from([0, 0, -90, -5, 5, 90]))
    def time_goes_on_and_the_clock_may_be_set(self, span, set_by):
        self.time.sleep(timedelta(seconds=span))
        self.time.time += timedelta(minutes=set_by)
        self.clock_was_set += set_by != 0

    @rule(
        lifetime=st.sampled_from([0, 90, 3600]),
        fault=st.sampled_from([None, None, *FAULTS]),
    )
    def the_provider_changes(self, lifetime, fault):
        self.provider.lifetime = lifetime
        self.provider.scripted = [getattr(self.provider, fault)] if fault else []

    @precondition(lambda self: self.stands().account.standing.state is State.SIGN_IN_NEEDED or len(self.uses) % 3 == 1)
    @rule()
    def the_person_signs_in_again(self):
        held = self.stands()
        anew = replace(held.account, generation=held.account.generation + 1, standing=Standing())
        now = self.time.now()
        tokens = some_tokens(self.provider.sign_in(), issued_at=now, expires_at=now + timedelta(hours=1))
        assert self.accounts.save(replace(held, account=anew, tokens=tokens), read=held.account.generation)

    # What must hold.

    @invariant()
    def no_save_goes_over_a_newer_generation(self):
        held = self.stands()
        if held.account.generation == self.generation:
            assert held.tokens.refresh == self.refresh
        assert held.account.generation >= self.generation
        self.generation, self.refresh = held.account.generation, held.tokens.refresh

    @invariant()
    def the_sign_in_is_lost_only_where_the_provider_ended_it_or_a_pair_never_arrived(self):
        held = self.stands()
        family = held.tokens.refresh.reveal().partition("+")[0]
        fates = {use.fate for use in self.uses if use.token.partition("+")[0] == family}
        on_the_way = any(use.in_hand for use in self.uses)
        if not on_the_way and not fates & {"lost", "killed", "revoked", "stopped"}:
            assert self.provider.lives(held.tokens.refresh.reveal())
            assert held.account.standing.state is State.READY

    def send(self, caller):
        """Let somebody send: nobody else may hold the answer to the same token, or have kept it."""
        token = caller.step.request.form["refresh_token"].reveal()
        for use in (use for use in self.uses if use.token == token):
            if use.in_hand:
                assert self.program_of(use.caller).asleep, "two programs used one refresh token"
                use.fate, use.in_hand = "stopped", False
            assert use.fate not in {"kept", "dead", "revoked"}, f"sent again after it was {use.fate}"
        if self.read_at.get(caller) == self.clock_was_set:
            held = self.stands()
            assert held.tokens.refresh.reveal() != token or not self.needs[caller].satisfied(held, self.time.now())
        caller.take()
        self.uses.append(Use(token, caller, self.provider.fate))

    def move(self, caller):
        """Take one step of somebody; from the check of the lease to the request there is no moment for anything."""
        step = caller.step
        if isinstance(step, Sleep) and step.span >= GRACE:
            self.whoever_is_awake_saves()
        if isinstance(step, Load):
            self.read_at[caller] = self.clock_was_set
        if isinstance(step, Send):
            self.send(caller)
            return
        caller.take()
        if isinstance(step, Save | SaveStanding):
            for use in self.in_hand(caller):
                use.fate, use.in_hand = "kept" if isinstance(step, Save) else use.fate, False
        if isinstance(step, OwnsLease) and isinstance(caller.step, Send):
            self.send(caller)

    def whoever_is_awake_saves(self):
        """Let the grace of whoever overtakes be long enough for those who only have to save."""
        for use in self.uses:
            while use.in_hand and not self.program_of(use.caller).asleep:
                self.move(use.caller)

    def in_hand(self, caller):
        return [use for use in self.uses if use.caller is caller and use.in_hand]

    def living(self):
        return [caller for program in getattr(self, "programs", []) for caller in program.callers if caller.step]

    def awake(self):
        return [caller for caller in self.living() if not self.program_of(caller).asleep]

    def program_of(self, caller):
        return next(program for program in self.programs if caller in program.callers)

    @property
    def accounts(self):
        return self.programs[0].world.ports.accounts

    def stands(self):
        return self.accounts.load(self.account)
