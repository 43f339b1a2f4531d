"""Wherever a change of the keys breaks off, the vault opens, and the change can be made again."""

from itertools import count

import pytest

from tests.adapters.cipher.installations import rotate, take
from tests.adapters.cipher.rings import Killed

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
