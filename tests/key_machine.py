"""Rules about the keys of a vault, among all the others: rotated, moved, lost and recovered, killed in the middle."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from doorkey.adapters.cipher.ring import SqlKeyRing
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.key_sources.keyring import KeyringKey
from doorkey.adapters.store.over import vault_over
from doorkey.domain.attempt import Callback
from doorkey.domain.secret import Secret
from doorkey.errors import StoreBusy
from doorkey.testing.values import a_device, an_attempt, an_identity
from tests.adapters.cipher.rings import Doomed, Killed
from tests.adapters.key_sources.test_keyring import Desktop
from tests.vault_machine import PROGRAMS, VaultMachine

NEVER = -1
MANY = 100
CHANGES = ("rotate", "rotate", "file", "keyring")


class KeyMachine(VaultMachine):
    """Several programs over one real vault, whose keys they change as well."""

    def __init__(self):
        super().__init__()
        self.folder = Path(self.resources.enter_context(TemporaryDirectory()))
        self.desktop = Desktop()
        self.databases = {}
        self.changes = {}
        self.shown: list[Secret] = []

    def open_database(self):
        raise NotImplementedError

    def open_vault(self, seat):
        database = Doomed(self.open_database(), NEVER)
        self.resources.callback(database.close)
        self.databases[seat.pid] = database
        keys = SqlKeyRing(database, VaultCipher(database, self.sources), batch=1)
        return replace(vault_over(database, self.sources, seat), keys=keys)

    @property
    def sources(self):
        return [KeyringKey(lambda: self.desktop), KeyFile(self.folder)]

    @initialize()
    def everybody_starts(self):
        super().everybody_starts()
        self.eye = self.open_database()
        self.resources.callback(self.eye.close)
        world = self.programs[0].world
        self.bystander = world.stands(world.keep(id="acc_2", identity=an_identity(subject="subject-2")).id)
        self.attempt = an_attempt(id="sgn_1", device=a_device(), callback=Callback(Secret("a code"), "client-1"))
        assert world.ports.attempts.save(self.attempt, was=None)

    # What happens to the keys.

    @rule(number=st.integers(0, PROGRAMS - 1), change=st.sampled_from(CHANGES), steps=st.integers(0, 2))
    def somebody_begins_to_change_the_keys(self, number, change, steps):
        if not self.programs[number].asleep:
            keys = self.programs[number].world.vault.keys
            self.changes[number] = keys.rotate() if change == "rotate" else keys.move(change)
            self.go_on(number, steps)

    @precondition(lambda self: self.busy())
    @rule(choice=st.integers(0, PROGRAMS - 1), steps=st.integers(1, 3))
    def a_change_of_the_keys_goes_on(self, choice, steps):
        busy = self.busy()
        self.go_on(busy[choice % len(busy)], steps)

    @precondition(lambda self: self.busy())
    @rule(choice=st.integers(0, PROGRAMS - 1), statements=st.integers(0, 25))
    def a_program_is_killed_while_it_changes_the_keys(self, choice, statements):
        busy = self.busy()
        number = busy[choice % len(busy)]
        with self.doomed(number, statements):
            self.go_on(number, MANY)

    @precondition(lambda self: self.shown)
    @rule(number=st.integers(0, PROGRAMS - 1), statements=st.sampled_from([NEVER, NEVER, *range(20)]))
    def the_key_is_lost_and_recovered_perhaps_at_the_second_try(self, number, statements):
        KeyFile(self.folder).path.unlink(missing_ok=True)
        self.desktop.items.clear()
        with self.doomed(number, statements):
            self.recover(number)
        self.recover(number)

    # What must hold.

    @invariant()
    def everything_opens_with_the_key_that_is_there_and_nothing_is_doubled(self):
        vault = vault_over(self.eye, self.sources, self.seat(0, 0))
        assert vault.accounts.load(self.account) == self.stands()
        assert vault.accounts.load(self.bystander.account.id) == self.bystander
        assert vault.attempts.load(self.attempt.id) == self.attempt
        assert {account.id for account in vault.accounts.all()} == {self.account, self.bystander.account.id}
        assert len(self.eye.rows("SELECT id FROM accounts")) == 2

    def go_on(self, number, steps):
        """Take steps of a change; whoever was overtaken by a new master key is told so, and begins anew."""
        for _ in range(steps):
            try:
                step = next(self.changes[number])
            except (StopIteration, StoreBusy):
                del self.changes[number]
                return
            if isinstance(step, Secret):
                self.shown.append(step)

    def somebody_moves(self, turn):
        """Let whoever changes the keys take turns with those who want tokens."""
        busy = self.busy()
        if busy and turn == 0:
            self.go_on(busy[0], 1)
        else:
            super().somebody_moves(turn)

    def recover(self, number):
        for _ in self.programs[number].world.vault.keys.move("file", code=self.shown[-1]):
            pass

    @contextmanager
    def doomed(self, number, statements):
        """Let a program die after so many statements, if it comes so far."""
        database = self.databases[self.programs[number].pid]
        database.left = statements
        try:
            yield
        except Killed:
            self.kill(number)
        finally:
            database.left = NEVER

    def kill(self, number):
        self.changes.pop(number, None)
        super().kill(number)

    def busy(self):
        return [number for number in self.changes if not self.programs[number].asleep]
