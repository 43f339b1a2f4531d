"""The keys of a vault are moved, rotated and recovered, and at no moment is it shut."""

from base64 import b64encode
from datetime import timedelta
from itertools import count
from shutil import copytree

import pytest
from keyring.errors import PasswordDeleteError

from doorkey.adapters.cipher import rotation
from doorkey.adapters.cipher.ring import SqlKeyRing
from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.key_sources.command import KeyCommand
from doorkey.adapters.key_sources.environment import EnvironmentKey
from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.key_sources.keyring import KeyringKey
from doorkey.adapters.key_sources.passphrase import PassphraseKey
from doorkey.adapters.store.accounts import SqlAccounts
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, StoreBusy, UnknownName
from doorkey.testing.values import a_device, an_attempt, an_identity, held, some_tokens
from tests.adapters.cipher.rings import Killed, Overtaken, Unsure, opened, whole
from tests.adapters.key_sources.test_keyring import Desktop, Forgetful
from tests.adapters.key_sources.test_passphrase import Typist

ENVIRON = {"DOORKEY_KEY": b64encode(bytes(32)).decode()}
COMMAND = f"echo {b64encode(bytes([1]) * 32).decode()}"
SOURCES = ["file", "keyring", "passphrase", "command", "environment"]


def take(steps):
    """Take every step, and return what it yielded."""
    return list(steps)


def rotate(vault):
    """Rotate, and return the code."""
    return take(vault.ring.rotate())[-1]


class Sticky(Desktop):
    """Gives nothing away again."""

    sticks = True

    def delete_password(self, service, username):
        if self.sticks:
            raise PasswordDeleteError
        super().delete_password(service, username)


class Installation:
    """One folder with a vault in it, and every source that its key may have."""

    def __init__(self, folder):
        self.folder = folder
        self.desktop = Desktop()
        self.environ = {}
        self.kept = [held(some_tokens(str(number)), id=f"acc_{number}") for number in range(3)]
        self.attempts = [an_attempt(id="sgn_1"), an_attempt(id="sgn_2", device=a_device())]

    @property
    def sources(self):
        return [
            EnvironmentKey(self.environ),
            KeyringKey(lambda: self.desktop),
            PassphraseKey(Typist()),
            KeyCommand(lambda: COMMAND),
            self.file,
        ]

    @property
    def file(self):
        return KeyFile(self.folder / "config")

    def open(self, **settings):
        return opened(self.folder, self.sources, **settings)

    def fill(self):
        with self.open() as vault:
            for each in self.kept:
                vault.accounts.save(each, read=None)
            for attempt in self.attempts:
                vault.attempts.save(attempt, was=None)

    def copy(self, folder):
        copytree(self.folder, folder)
        other = Installation(folder)
        other.desktop.items, other.environ = dict(self.desktop.items), dict(self.environ)
        other.kept, other.attempts = self.kept, self.attempts
        return other

    def assert_whole(self):
        with self.open() as vault:
            assert whole(vault, self.kept, self.attempts)


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path / "one")
    made.fill()
    return made


def prepare(installation, source):
    """Do for a source what only a person can do."""
    installation.environ = dict(ENVIRON) if source == "environment" else {}


@pytest.mark.parametrize("source", SOURCES)
def test_a_key_is_moved_and_opens_everything_from_there(installation, source):
    prepare(installation, source)
    with installation.open() as vault:
        take(vault.ring.move(source))

        facts = vault.ring.facts()

    installation.assert_whole()
    assert (facts.source, facts.problem, facts.left_behind) == (source, None, None)
    assert facts.protects


@pytest.mark.parametrize("source", SOURCES[1:])
def test_a_key_is_moved_back_into_the_file(installation, source):
    prepare(installation, source)
    with installation.open() as vault:
        take(vault.ring.move(source))
        assert not installation.file.path.exists()
        take(vault.ring.move("file"))
    installation.environ = {}

    installation.assert_whole()

    assert installation.file.path.exists()
    assert installation.desktop.items == {}


def test_the_same_source_gets_another_key(installation):
    before = installation.file.read()

    with installation.open() as vault:
        take(vault.ring.move("file"))

    installation.assert_whole()
    assert installation.file.read() != before
    assert len(installation.file.path.read_text().splitlines()) == 1


def test_a_command_may_print_the_key_that_the_file_holds(installation):
    key = b64encode(installation.file.read()).decode()
    sources = [KeyCommand(lambda: f"echo {key}"), installation.file]

    with opened(installation.folder, sources) as vault:
        take(vault.ring.move("command"))
        still = whole(vault, installation.kept)

    assert still
    assert not installation.file.path.exists()


def test_a_source_may_be_chosen_before_there_is_anything_to_seal(tmp_path):
    empty = Installation(tmp_path / "empty")

    with empty.open() as vault:
        take(vault.ring.move("keyring"))
    empty.fill()

    empty.assert_whole()
    assert not empty.file.path.exists()


def test_a_source_that_keeps_nothing_changes_nothing(installation):
    installation.desktop = Forgetful()
    with installation.open() as vault, pytest.raises(KeyUnreadable):
        take(vault.ring.move("keyring"))

    with installation.open() as vault:
        assert vault.ring.facts().source == "file"

    installation.assert_whole()


def test_a_source_of_another_name_is_unknown(installation):
    with installation.open() as vault, pytest.raises(UnknownName) as refused:
        take(vault.ring.move("cloud"))

    assert "keyring" in refused.value.hint


def test_no_other_source_is_tried_when_the_chosen_one_fails(installation):
    key = installation.file.read()
    with installation.open() as vault:
        take(vault.ring.move("keyring"))
    installation.desktop.items.clear()
    installation.file.path.write_text(b64encode(key).decode())
    installation.file.path.chmod(0o600)

    with installation.open() as vault:
        facts = vault.ring.facts()
        with pytest.raises(KeyUnreadable, match="keyring"):
            vault.accounts.load("acc_0")

    assert facts.source == "keyring"
    assert "missing" in facts.problem
    assert "doorkey key recover" in facts.hint


def test_a_key_that_could_not_be_removed_is_removed_later(installation):
    installation.desktop = Sticky()
    with installation.open() as vault:
        take(vault.ring.move("keyring"))
        take(vault.ring.move("file"))
        left = vault.ring.facts().left_behind
    installation.assert_whole()
    installation.desktop.sticks = False

    with installation.open() as vault:
        take(vault.ring.move("file"))
        facts = vault.ring.facts()

    installation.assert_whole()
    assert left == "keyring"
    assert facts.left_behind is None
    assert installation.desktop.items == {}


def test_a_rotation_leaves_one_data_key_and_no_row_under_the_old_one(installation):
    with installation.open() as vault:
        (before,) = vault.rows("SELECT id FROM data_keys")
        sealed = [row["tokens"] for row in vault.rows("SELECT tokens FROM accounts ORDER BY id")]

        steps = take(vault.ring.rotate())

        (after,) = vault.rows("SELECT id FROM data_keys")
        again = [row["tokens"] for row in vault.rows("SELECT tokens FROM accounts ORDER BY id")]
    installation.assert_whole()
    assert after["id"] != before["id"]
    assert not set(sealed) & set(again)
    assert steps[-2] == 0
    assert isinstance(steps[-1], Secret)


def test_a_rotation_passes_over_no_name_that_a_provider_made_up(tmp_path):
    odd = Installation(tmp_path / "odd")
    odd.kept = [held(id="acc_odd", identity=an_identity(email="half a pair \ud800", name="\0"))]
    odd.fill()

    with odd.open() as vault:
        take(vault.ring.rotate())

    odd.assert_whole()


def test_a_rotation_goes_in_batches_and_goes_on_where_it_stopped(tmp_path):
    many = Installation(tmp_path / "many")
    many.kept = [held(some_tokens(str(number)), id=f"acc_{number}") for number in range(2 * rotation.BATCH + 1)]
    many.fill()
    with many.open() as vault:
        steps = vault.ring.rotate()
        left = [next(steps), next(steps)]
        half = vault.ring.facts().rotating
        del steps
        with many.open() as another:
            rest = [step for step in another.ring.rotate() if isinstance(step, int)]
            done = another.ring.facts().rotating

    many.assert_whole()
    assert left == [rotation.BATCH + 1, 1]
    assert rest == [0]
    assert (half, done) == (True, False)


def test_what_is_saved_during_a_rotation_is_sealed_by_the_newest_key(installation):
    more = held(some_tokens("more"), id="acc_more")
    with installation.open() as vault, installation.open() as another:
        another.accounts.save(held(some_tokens("warm"), id="acc_warm"), read=None)
        steps = vault.ring.rotate()
        next(steps)
        another.accounts.save(more, read=None)
        take(steps)

        loaded = another.accounts.load("acc_more")

    assert loaded == more


def test_nobody_rotates_while_a_row_is_sealed_and_written(installation):
    with installation.open() as vault, installation.open(patience=timedelta(0)) as another:
        with vault.cipher.sealing(), pytest.raises(StoreBusy):
            rotate(another)

        rotate(another)

    installation.assert_whole()


def test_who_is_overtaken_by_a_rotation_seals_with_the_new_key(installation):
    more = held(some_tokens("more"), id="acc_more")
    with installation.open() as vault, installation.open() as another:
        database = Overtaken(vault.database, lambda: rotate(another))
        slow = SqlAccounts(database, VaultCipher(database, installation.sources))

        saved = slow.save(more, read=None)

        loaded = another.accounts.load("acc_more")
    assert saved
    assert loaded == more


def test_who_read_a_row_before_a_rotation_ended_reads_it_again(installation):
    with installation.open() as vault, installation.open() as slow:
        row = slow.accounts._row("acc_0")
        rotate(vault)
        with pytest.raises(KeyUnreadable):
            slow.accounts._open(row)

        loaded = slow.accounts.load("acc_0")

    assert loaded == installation.kept[0]


@pytest.mark.parametrize("source", ["file", "keyring", "passphrase"])
def test_the_code_opens_the_vault_when_the_source_is_gone(installation, source):
    with installation.open() as vault:
        code = rotate(vault)
        take(vault.ring.move(source))
    installation.file.path.unlink(missing_ok=True)
    installation.desktop.items.clear()

    with installation.open() as vault:
        take(vault.ring.move("file", code=code))

    installation.assert_whole()


def test_a_code_outlives_a_move_and_ends_with_the_next_one(installation):
    with installation.open() as vault:
        old = rotate(vault)
        take(vault.ring.move("keyring"))
        new = rotate(vault)
        with pytest.raises(KeyUnreadable, match="does not open"):
            take(vault.ring.move("file", code=old))

        take(vault.ring.move("file", code=new))

    installation.assert_whole()


def test_until_the_new_code_was_shown_the_old_one_counts(installation):
    with installation.open() as vault:
        old = rotate(vault)
        steps = vault.ring.rotate()
        new = next(step for step in steps if isinstance(step, Secret))
        del steps

        for code in (old, new):
            take(vault.ring.move("file", code=code))

    installation.assert_whole()


def test_two_rotations_at_once_leave_the_code_that_was_made_last(installation):
    with installation.open() as vault, installation.open() as another:
        first, second = vault.ring.rotate(), another.ring.rotate()
        early = next(step for step in first if isinstance(step, Secret))
        late = next(step for step in second if isinstance(step, Secret))
        take(first)
        take(second)

        take(vault.ring.move("file", code=late))
        with pytest.raises(KeyUnreadable):
            take(vault.ring.move("file", code=early))

    installation.assert_whole()


def test_of_two_moves_at_once_one_is_told_to_try_again(installation):
    with installation.open() as vault, installation.open() as another:
        slow = another.ring.move("file")
        next(slow)
        take(vault.ring.move("keyring"))

        with pytest.raises(StoreBusy):
            take(slow)

        facts = vault.ring.facts()
    installation.assert_whole()
    assert facts.source == "keyring"
    assert not installation.file.path.exists()


@pytest.mark.parametrize("source", ["file", "keyring"])
def test_a_commit_whose_end_is_unknown_costs_no_key(installation, source):
    with installation.open() as vault:
        database = Unsure(vault.database)
        unsure = SqlKeyRing(database, VaultCipher(database, installation.sources))

        with pytest.raises(StoreBusy):
            take(unsure.move(source))

    installation.assert_whole()


def test_a_move_during_a_rotation_takes_both_data_keys_along(installation):
    with installation.open() as vault, installation.open() as another:
        steps = vault.ring.rotate()
        next(steps)
        take(another.ring.move("keyring"))
        with pytest.raises(StoreBusy):
            take(steps)

        rotate(another)

    installation.assert_whole()


def test_a_key_that_a_vault_beside_needs_is_not_removed(installation, tmp_path):
    beside = installation.copy(tmp_path / "two")
    with installation.open() as vault, opened(beside.folder, [installation.file]) as other:
        take(vault.ring.move("file", beside=other.ring))

        still = whole(other, installation.kept)
        take(other.ring.move("file", beside=vault.ring))
        after = whole(other, installation.kept)

    installation.assert_whole()
    assert still
    assert after
    assert len(installation.file.path.read_text().splitlines()) == 2


@pytest.mark.parametrize("table", ["data_keys", "recovery_codes"])
def test_wrapped_keys_of_another_vault_do_not_open(installation, tmp_path, table):
    column = {"data_keys": "wrapped", "recovery_codes": "master"}[table]
    other = Installation(tmp_path / "two")
    other.fill()
    with installation.open() as vault, other.open() as foreign:
        code, _ = rotate(vault), rotate(foreign)
        (theirs,) = foreign.rows(f"SELECT * FROM {table}")
        vault.rows(f"UPDATE {table} SET {column} = ?", (theirs[column],))

    with installation.open() as vault, pytest.raises(KeyUnreadable):
        take(vault.ring.move("file", code=code if table == "recovery_codes" else None))


def test_the_two_halves_of_a_code_do_not_open_in_each_others_place(installation):
    with installation.open() as vault:
        rotate(vault)
        vault.rows("UPDATE recovery_codes SET code_key = master")

        with pytest.raises(KeyUnreadable):
            take(vault.ring.move("file"))

    installation.assert_whole()


def test_a_row_that_does_not_open_stops_a_rotation_and_nothing_is_lost(installation):
    with installation.open() as vault:
        vault.rows("UPDATE accounts SET tokens = (SELECT tokens FROM accounts WHERE id = 'acc_1') WHERE id = 'acc_2'")
        with pytest.raises(KeyUnreadable):
            take(vault.ring.rotate())

        loaded = [vault.accounts.load(f"acc_{number}") for number in range(2)]
        vault.accounts.forget("acc_2")
        take(vault.ring.rotate())

    assert loaded == installation.kept[:2]


def test_with_a_wrong_key_nothing_is_changed(installation):
    installation.environ = dict(ENVIRON)
    with installation.open() as vault:
        before = [tuple(row) for table in ("header", "data_keys") for row in vault.rows(f"SELECT * FROM {table}")]
        for steps in (vault.ring.move("file"), vault.ring.move("keyring"), vault.ring.rotate()):
            with pytest.raises(KeyUnreadable):
                take(steps)

        after = [tuple(row) for table in ("header", "data_keys") for row in vault.rows(f"SELECT * FROM {table}")]

    assert after == before
    assert installation.desktop.items == {}
    assert len(installation.file.path.read_text().splitlines()) == 1


CHANGES = {
    "move within the file": lambda ring: ring.move("file"),
    "move to the keyring": lambda ring: ring.move("keyring"),
    "rotate": lambda ring: ring.rotate(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_killed_at_any_statement_the_vault_opens_and_the_change_is_made_the_next_time(installation, tmp_path, change):
    with installation.open() as vault:
        code = rotate(vault)
    for at in count():
        victim = installation.copy(tmp_path / f"killed-at-{at}")
        try:
            with victim.open(at=at) as vault:
                take(change(vault.ring))
        except Killed:
            victim.assert_whole()
            with victim.open() as vault:
                take(vault.ring.move("file", code=code))
            with victim.open() as vault:
                take(change(vault.ring))
            victim.assert_whole()
            continue
        break

    victim.assert_whole()
    assert at > 10


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("taken", [1, 2])
def test_broken_off_between_two_steps_the_vault_opens(installation, change, taken):
    with installation.open() as vault:
        steps = change(vault.ring)
        for _ in range(taken):
            next(steps)
        del steps
    installation.assert_whole()

    with installation.open() as vault:
        take(change(vault.ring))
        facts = vault.ring.facts()

    installation.assert_whole()
    assert (facts.problem, facts.rotating, facts.left_behind) == (None, False, None)
