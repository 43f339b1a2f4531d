"""What every store of the page's sessions must do (rule 8)."""

from datetime import timedelta

import pytest

from doorkey.domain.secret import Secret
from doorkey.ports import PageSessions
from doorkey.testing.clock import FakeClock
from doorkey.testing.values import NOON

COOKIE, KEY, OTHER = Secret("cookie-value"), Secret("key-value"), Secret("other-value")


class PageSessionsContract:
    """Inherit, and give an empty `store` whose time is that of `clock`."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Make the time by which sessions end."""
        return FakeClock()

    @pytest.fixture
    def store(self, clock: FakeClock) -> PageSessions:
        """Give an empty store."""
        raise NotImplementedError

    def test_a_page_needs_its_cookie_and_its_key(self, store: PageSessions) -> None:
        store.add(COOKIE, KEY, "Firefox")

        assert store.check(COOKIE, KEY)
        assert not store.check(COOKIE, OTHER)
        assert not store.check(OTHER, KEY)

    def test_reading_needs_the_cookie_alone(self, store: PageSessions) -> None:
        store.add(COOKIE, KEY, "Firefox")

        assert store.check(COOKIE, None)
        assert not store.check(OTHER, None)

    def test_the_key_of_another_session_does_not_do(self, store: PageSessions) -> None:
        store.add(COOKIE, KEY, "Firefox")
        store.add(Secret("second-cookie"), Secret("second-key"), "Chromium")

        assert not store.check(COOKIE, Secret("second-key"))

    def test_a_session_ends_thirty_days_after_it_began(self, store: PageSessions, clock: FakeClock) -> None:
        store.add(COOKIE, KEY, "Firefox")

        clock.sleep(timedelta(days=30) - timedelta(seconds=1))
        before = store.check(COOKIE, KEY)
        clock.sleep(timedelta(seconds=1))

        assert before
        assert not store.check(COOKIE, KEY)
        assert not store.all()

    def test_a_revoked_session_ends_at_once_and_alone(self, store: PageSessions) -> None:
        store.add(COOKIE, KEY, "Firefox")
        store.add(OTHER, OTHER, "Chromium")
        (firefox,) = [session.id for session in store.all() if session.label == "Firefox"]

        store.revoke(firefox)

        assert not store.check(COOKIE, KEY)
        assert store.check(OTHER, OTHER)

    def test_sessions_are_listed_with_when_they_were_seen(self, store: PageSessions, clock: FakeClock) -> None:
        store.add(COOKIE, KEY, "Firefox")
        clock.sleep(timedelta(minutes=5))

        store.check(COOKIE, KEY)

        (session,) = store.all()
        assert (session.label, session.created_at) == ("Firefox", NOON)
        assert session.seen_at == NOON + timedelta(minutes=5)

    def test_being_seen_is_noted_once_a_minute_at_most(self, store: PageSessions, clock: FakeClock) -> None:
        store.add(COOKIE, KEY, "Firefox")
        clock.sleep(timedelta(seconds=59))

        store.check(COOKIE, KEY)

        assert store.all()[0].seen_at == NOON

    def test_a_page_that_knows_only_the_cookie_by_half_is_not_seen(self, store: PageSessions, clock: FakeClock) -> None:
        store.add(COOKIE, KEY, "Firefox")
        clock.sleep(timedelta(minutes=5))

        store.check(COOKIE, OTHER)

        assert store.all()[0].seen_at == NOON
