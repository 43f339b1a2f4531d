"""Forgetting an account, with and without ending its sign-in at the provider."""

import pytest

from tests.cli.acme import Browser, keep
from tests.cli.terminal import Terminal


@pytest.fixture
def ada(house):
    house.browser = Browser(approves=True)
    Terminal(house).run("login", "acme", "--name", "ada")
    return house.services.book.find("ada")


@pytest.mark.usefixtures("ada")
def test_forgetting_says_that_the_provider_was_not_told(house):
    terminal = Terminal(house)

    code = terminal.run("logout", "ada")

    assert (code, house.services.book.all()) == (0, [])
    assert "ada is forgotten here.\nacme was not told" in terminal.err


@pytest.mark.usefixtures("ada")
def test_a_revocation_reaches_the_provider(house):
    terminal = Terminal(house)

    code = terminal.run("logout", "ada", "--revoke")

    assert (code, house.services.book.all()) == (0, [])
    assert "acme has ended the sign-in" in terminal.err


def test_a_revocation_that_nobody_confirms_forgets_all_the_same_and_ends_with_4(house, practice, ada):
    import httpx2

    httpx2.post(f"{practice}/sandbox/faults", json={"kind": "unavailable", "times": 1}).raise_for_status()
    terminal = Terminal(house)

    code = terminal.run("logout", "ada", "--revoke")

    assert (code, house.services.book.all()) == (4, [])
    assert "could not be confirmed" in terminal.err


def test_a_key_cannot_be_revoked_from_here(house):
    keep(house, name="key", method="api-key", lasts=None)
    terminal = Terminal(house)

    code = terminal.run("logout", "key", "--revoke")

    assert (code, house.services.book.all()) == (1, [])
    assert "ended on the provider's own page" in terminal.err
