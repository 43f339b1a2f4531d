"""What every store of named texts must do: the vault's choices and the app's preferences."""

import pytest

from doorkey.ports import Choices, Preferences


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


class ChoicesContract(SettingsContract):
    """What the vault's choices must do besides. Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Choices:
        """Give an empty store."""
        raise NotImplementedError

    def test_those_that_start_so_are_found_and_no_others(self, store: Choices) -> None:
        for name in ("rule:acme:/work", "rule:acme:/work/a_b%", "rule:Acme:/work", "default:acme"):
            store.set(name, name.upper())

        found = store.starting("rule:acme:")

        assert found == {name: name.upper() for name in ("rule:acme:/work", "rule:acme:/work/a_b%")}

    def test_wildcards_in_a_beginning_stand_for_themselves(self, store: Choices) -> None:
        store.set("rule:acme:/a_b%", "one")
        store.set("rule:acme:/axbc", "two")

        assert set(store.starting("rule:acme:/a_b%")) == {"rule:acme:/a_b%"}
