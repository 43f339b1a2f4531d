"""What every source that keeps the master key itself must do."""

import pytest

from doorkey.adapters.key_sources.source import KEY_SIZE, KeySource, Lock

VAULT, OTHER = "one vault", "another vault"


class KeySourceContract:
    """Inherit, and give an empty `source`."""

    @pytest.fixture
    def source(self) -> KeySource:
        """Give an empty source."""
        raise NotImplementedError

    def test_an_empty_source_has_no_key(self, source: KeySource) -> None:
        assert source.read() is None
        assert source.find(Lock.of(VAULT, bytes(KEY_SIZE))) is None

    def test_a_key_that_was_made_is_found_by_its_lock(self, source: KeySource) -> None:
        made = source.create(VAULT)

        assert len(made.secret) == KEY_SIZE
        assert source.find(Lock.of(VAULT, *made)) == made.secret

    def test_a_new_key_stands_beside_the_old_one(self, source: KeySource) -> None:
        old, new = source.create(VAULT), source.create(VAULT)

        found = [source.find(Lock.of(VAULT, *made)) for made in (old, new)]

        assert found == [old.secret, new.secret]
        assert old != new

    def test_only_the_key_that_fits_is_removed(self, source: KeySource) -> None:
        old, new, others = source.create(VAULT), source.create(VAULT), source.create(OTHER)

        source.drop(Lock.of(VAULT, *old))

        assert source.find(Lock.of(VAULT, *old)) != old.secret
        assert source.find(Lock.of(VAULT, *new)) == new.secret
        assert source.find(Lock.of(OTHER, *others)) == others.secret

    def test_a_key_may_be_removed_twice(self, source: KeySource) -> None:
        lock = Lock.of(VAULT, *source.create(VAULT))

        source.drop(lock)
        source.drop(lock)

        assert source.find(lock) is None
