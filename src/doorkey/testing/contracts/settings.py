"""What every store of named texts must do: the vault's choices and the app's preferences."""

import pytest

from doorkey.ports import Preferences


class SettingsContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Preferences:
        """Give an empty store."""
        raise NotImplementedError

    def test_what_nobody_set_is_absent(self, store: Preferences) -> None:
        assert store.get("theme") is None

    def test_the_last_word_counts(self, store: Preferences) -> None:
        store.set("theme", "light")
        store.set("theme", "dark")

        assert store.get("theme") == "dark"

    def test_names_are_kept_apart(self, store: Preferences) -> None:
        store.set("theme", "dark")

        assert store.get("model") is None

    def test_what_was_removed_is_absent(self, store: Preferences) -> None:
        store.set("theme", "dark")

        store.remove("theme")
        store.remove("never set")

        assert store.get("theme") is None
