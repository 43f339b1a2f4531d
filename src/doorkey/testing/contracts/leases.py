"""What every store of leases must do."""

from datetime import timedelta

import pytest

from doorkey.flows.steps import Lease
from doorkey.ports import Leases
from doorkey.testing.clock import FakeMachine

SPAN = timedelta(seconds=40)


class LeasesContract:
    """Inherit, and give an empty `store` whose time is that of `machine`."""

    @pytest.fixture
    def machine(self) -> FakeMachine:
        """Make the time and the processes by which leases are judged."""
        return FakeMachine()

    @pytest.fixture
    def store(self, machine: FakeMachine) -> Leases:
        """Give an empty store."""
        raise NotImplementedError

    def test_a_lease_is_held_by_one(self, store: Leases) -> None:
        take(store)

        assert store.take("acc_1", SPAN) is None

    def test_accounts_have_leases_of_their_own(self, store: Leases) -> None:
        take(store)

        assert store.take("acc_2", SPAN) is not None

    def test_a_lease_is_free_again_after_release(self, store: Leases) -> None:
        store.release(take(store))

        assert store.take("acc_1", SPAN) is not None

    def test_a_lease_is_free_again_after_its_end(self, store: Leases, machine: FakeMachine) -> None:
        take(store)
        machine.sleep(SPAN)

        assert store.take("acc_1", SPAN) is not None

    def test_whoever_follows_a_holder_that_gave_up_its_lease_overtakes_nobody(self, store: Leases) -> None:
        store.release(take(store))

        assert not take(store).overtaken

    def test_whoever_follows_a_holder_that_ran_out_of_time_overtakes_it(
        self, store: Leases, machine: FakeMachine
    ) -> None:
        first = take(store)
        machine.sleep(SPAN)

        assert not first.overtaken
        assert take(store).overtaken

    def test_a_lease_is_owned_while_enough_of_it_is_left(self, store: Leases, machine: FakeMachine) -> None:
        lease = take(store)
        machine.sleep(SPAN / 2)

        assert store.owns(lease, SPAN / 2)
        assert not store.owns(lease, SPAN / 2 + timedelta(milliseconds=1))

    def test_a_lease_that_somebody_took_over_is_neither_owned_nor_released(
        self, store: Leases, machine: FakeMachine
    ) -> None:
        lost = take(store)
        machine.sleep(SPAN)
        taken = take(store)

        store.release(lost)

        assert not store.owns(lost, timedelta(0))
        assert store.owns(taken, SPAN)

    def test_a_lease_that_is_extended_ends_a_whole_span_later(self, store: Leases, machine: FakeMachine) -> None:
        lease = take(store)
        machine.sleep(SPAN / 2)

        extended = store.extend(lease, SPAN)

        assert extended
        assert store.owns(lease, SPAN)
        machine.sleep(SPAN / 2)
        assert store.take("acc_1", SPAN) is None

    def test_a_lease_that_somebody_took_over_is_not_extended(self, store: Leases, machine: FakeMachine) -> None:
        lost = take(store)
        machine.sleep(SPAN)
        taken = take(store)

        assert not store.extend(lost, SPAN * 2)
        assert not store.owns(taken, SPAN * 2)


def take(store: Leases) -> Lease:
    """Take the lease of one account, which must be free."""
    lease = store.take("acc_1", SPAN)
    assert lease is not None
    return lease
