"""A vault whose files were torn: what a commit reached is there, or the damage is named; nothing is made up for it."""

import shutil
from contextlib import closing
from dataclasses import replace

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.sqlite import open_vault
from doorkey.domain.account import Held
from doorkey.errors import KeyUnreadable, UnknownName, VaultDamaged
from doorkey.testing.values import an_attempt, an_identity, held, some_tokens

HEADER, FRAME = 32, 24 + 4096
FILES = ("vault.db", "vault.db-wal", "vault.db-shm")


def opened(folder):
    return closing(open_vault(folder, [KeyFile(folder)]))


def everything(vault):
    return [vault.accounts.load(account.id) for account in vault.accounts.all()]


def an_account(number, generation=0):
    kept = held(some_tokens(f"{number}.{generation}"), id=f"acc_{number}", identity=an_identity(subject=str(number)))
    return replace(kept, account=replace(kept.account, generation=generation))


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """The files of a vault whose program was cut off with everything in the log, and what each commit had left."""
    folder = tmp_path_factory.mktemp("torn")
    seen: list[list[Held]] = [[]]
    with opened(folder / "whole") as vault:
        for number in range(3):
            vault.accounts.save(an_account(number), read=None)
            seen.append(everything(vault))
            vault.accounts.save(an_account(number, 1), read=0)
            seen.append(everything(vault))
        (folder / "cut").mkdir()
        for name in FILES:
            shutil.copy(folder / "whole" / name, folder / "cut")
    shutil.copy(folder / "whole" / "doorkey.key", folder / "cut")
    return folder / "cut", seen


@pytest.fixture
def log(torn):
    return (torn[0] / "vault.db-wal").read_bytes()


@pytest.fixture
def reopen(torn, tmp_path):
    """Open the vault with another log, in a folder of its own; with or without the index of the log beside it."""

    def reopen(log, *, name, indexed):
        folder = tmp_path / f"{name} {indexed}"
        shutil.copytree(torn[0], folder)
        (folder / "vault.db-wal").write_bytes(log)
        if not indexed:
            (folder / "vault.db-shm").unlink()
        before = {each.name: each.read_bytes() for each in folder.iterdir()}
        try:
            with opened(folder) as vault:
                found = everything(vault)
                assert vault.accounts.save(an_account(9), read=None)
                assert everything(vault) == [*found, an_account(9)]
        except VaultDamaged:
            assert {name: (folder / name).read_bytes() for name in before} == before
            return None
        assert KeyFile(folder).read() == KeyFile(torn[0]).read()
        return found

    return reopen


@pytest.mark.parametrize("indexed", [True, False])
def test_a_log_that_ends_early_gives_what_was_committed_before(torn, log, reopen, indexed):
    _, seen = torn
    frames = range(HEADER, len(log) + 1, FRAME)
    ends = sorted({0, 1, HEADER - 1, len(log) - 1, *frames, *(end + 10 for end in frames[::3])} - {len(log) + 10})

    found = [reopen(log[:end], name=end, indexed=indexed) for end in ends]

    reached = [seen.index(each) for each in found if each is not None]
    assert reached == sorted(reached)
    assert set(reached) == set(range(len(seen)))


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("junk", [bytes(512), b"\xff" * 512], ids=["zeros", "ones"])
def test_a_log_with_damage_in_it_gives_what_was_committed_before_it(torn, log, reopen, indexed, junk):
    _, seen = torn
    places = range(0, len(log) - len(junk), 3 * FRAME // 2)

    found = [
        reopen(log[:place] + junk + log[place + len(junk) :], name=place, indexed=indexed)
        for place in places
        if log[place : place + len(junk)] != junk
    ]

    reached = [seen.index(each) for each in found if each is not None]
    assert reached == sorted(reached)
    assert reached[-1] > reached[0]


def test_without_its_log_a_vault_is_what_it_was_when_the_log_was_last_merged(torn, tmp_path):
    folder, seen = torn
    shutil.copytree(folder, tmp_path / "merged")
    with opened(tmp_path / "merged") as vault:
        assert everything(vault) == seen[-1]

    assert not (tmp_path / "merged" / "vault.db-wal").exists()
    with opened(tmp_path / "merged") as vault:
        assert everything(vault) == seen[-1]


@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_a_vault_that_was_cut_short_is_damage_and_stays_as_it_is(torn, tmp_path, part):
    folder = tmp_path / "cut"
    shutil.copytree(torn[0], folder)
    with opened(folder) as vault:
        everything(vault)
    content = (folder / "vault.db").read_bytes()
    cut = content[: int(len(content) * part)]
    (folder / "vault.db").write_bytes(cut)

    with pytest.raises(VaultDamaged), opened(folder) as vault:
        everything(vault)

    assert (folder / "vault.db").read_bytes() == cut


def test_a_changed_byte_in_a_row_gives_no_other_secret_and_is_named(tmp_path):
    mine, attempt = an_account(1), an_attempt(id="sgn_1")
    with opened(tmp_path / "whole") as vault:
        vault.accounts.save(mine, read=None)
        vault.attempts.save(attempt, was=None)
    content = (tmp_path / "whole" / "vault.db").read_bytes()
    rows = [content.index(word) for word in (b"acc_1", b"sgn_1")]
    named = set()

    for place in [row + step for row in rows for step in range(0, 1200, 7)]:
        changed = bytearray(content)
        changed[place] ^= 0x91
        (tmp_path / "whole" / "vault.db").write_bytes(changed)
        try:
            with opened(tmp_path / "whole") as vault:
                assert vault.accounts.load("acc_1").tokens == mine.tokens
                assert vault.attempts.load("sgn_1").verifier == attempt.verifier
        except (VaultDamaged, KeyUnreadable, UnknownName) as error:
            named.add(type(error))

    assert named >= {VaultDamaged, KeyUnreadable}
