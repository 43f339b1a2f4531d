"""What every audit must do: keep what was recorded, newest first, and stay bounded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.adapters.store.audit import BATCH, KEPT
from doorkey.domain.audit import Action, Surface
from doorkey.ports import Audit
from doorkey.testing.values import HOUR, NOON, an_entry


class AuditContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Audit:
        """Give an empty store."""
        raise NotImplementedError

    def test_what_was_recorded_is_read_whole(self, store: Audit) -> None:
        entry = an_entry(surface=Surface.LIBRARY, action=Action.REVOKED, detail="job.py")
        bare = an_entry(account=None, detail=None)

        store.record(entry, bare)

        assert store.read(10) == [bare, entry]

    def test_the_newest_come_first_up_to_the_limit(self, store: Audit) -> None:
        entries = [an_entry(at=NOON + timedelta(minutes=number)) for number in range(3)]

        store.record(entries[0])
        store.record(*entries[1:])

        assert store.read(2) == [entries[2], entries[1]]

    def test_one_account_is_read_alone(self, store: Audit) -> None:
        mine, other = an_entry(account="acc_mine"), an_entry(account="acc_other")

        store.record(mine, other)

        assert store.read(10, "acc_mine") == [mine]
        assert store.read(10, "acc_nobody") == []

    def test_the_last_use_only_moves_on(self, store: Audit) -> None:
        store.touch({"acc_1": NOON, "acc_2": NOON})
        store.touch({"acc_1": NOON + HOUR})
        store.touch({"acc_1": NOON})

        assert store.last_uses() == {"acc_1": NOON + HOUR, "acc_2": NOON}

    def test_the_oldest_uses_are_dropped_and_nothing_else(self, store: Audit) -> None:
        signed_in = an_entry(action=Action.SIGNED_IN)
        use = an_entry(action=Action.USED)
        store.record(signed_in)

        store.record(*(replace(use, at=NOON + timedelta(minutes=number)) for number in range(KEPT + 2 * BATCH)))

        kept = store.read(2 * KEPT)
        assert kept[0].at == NOON + timedelta(minutes=KEPT + 2 * BATCH - 1)
        assert kept[-1] == signed_in
        assert KEPT < len(kept) <= KEPT + BATCH + 1
