"""What every store of sign-ins under way must do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from doorkey.domain.attempt import Arrival, Status
from doorkey.errors import UnknownName
from doorkey.ports import Attempts
from doorkey.testing.values import HOUR, NOON, a_device, an_attempt, an_identity, some_tokens


class AttemptsContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Attempts:
        """Give an empty store."""
        raise NotImplementedError

    def test_what_was_saved_is_loaded(self, store: Attempts) -> None:
        attempt = an_attempt(issuer="https://issuer.example", registers=True, name="work")

        saved = store.save(attempt, was=None)

        assert saved
        assert store.load(attempt.id) == attempt

    def test_what_a_server_gave_for_another_device_is_kept_with_it(self, store: Attempts) -> None:
        attempt = an_attempt(device=a_device())
        slower = replace(attempt, device=a_device(interval=timedelta(seconds=10)))
        store.save(attempt, was=None)

        moved = store.save(slower, was=Status.WAITING)

        assert moved
        assert store.load(attempt.id) == slower

    def test_an_attempt_that_is_not_there_is_an_unknown_name(self, store: Attempts) -> None:
        with pytest.raises(UnknownName):
            store.load("sgn_nothing")

    def test_an_attempt_begins_only_once(self, store: Attempts) -> None:
        attempt = an_attempt()
        store.save(attempt, was=None)

        assert not store.save(attempt, was=None)

    def test_only_one_reply_is_exchanged(self, store: Attempts) -> None:
        attempt = an_attempt()
        exchanging = replace(attempt, status=Status.EXCHANGING, client_id="issued")
        store.save(attempt, was=None)

        first, second = (store.save(exchanging, was=Status.WAITING) for _ in range(2))

        assert (first, second) == (True, False)
        assert store.load(attempt.id) == exchanging

    def test_an_expired_attempt_is_swept_when_another_begins(self, store: Attempts) -> None:
        old, new = an_attempt(), an_attempt(created_at=NOON + HOUR, expires_at=NOON + HOUR * 2)
        store.save(old, was=None)

        store.save(new, was=None)

        assert store.load(new.id) == new
        with pytest.raises(UnknownName):
            store.load(old.id)

    def test_what_was_kept_for_a_persons_word_is_swept_with_its_attempt(self, store: Attempts) -> None:
        arrived = Arrival(an_identity(), some_tokens())
        old = an_attempt(arrived=arrived, status=Status.SOMEBODY_ELSE)
        lasting = an_attempt(id="sgn_2", expires_at=old.expires_at + HOUR)
        store.save(old, was=None)
        store.save(lasting, was=None)

        store.sweep(old.expires_at)

        assert store.load(lasting.id) == lasting
        with pytest.raises(UnknownName):
            store.load(old.id)

    def test_an_exchange_under_way_is_not_swept(self, store: Attempts) -> None:
        old = an_attempt()
        exchanging = replace(old, status=Status.EXCHANGING)
        store.save(old, was=None)
        store.save(exchanging, was=Status.WAITING)

        store.save(an_attempt(created_at=old.expires_at, expires_at=NOON + HOUR), was=None)

        assert store.load(old.id) == exchanging
