"""What `doorkey models` and `doorkey providers` list."""

import json

import httpx2

from doorkey.bootstrap import open_house
from doorkey.cli.columns import cells
from tests.cli.acme import Browser
from tests.cli.terminal import Terminal


def signed_in(house):
    house.browser = Browser(approves=True)
    assert Terminal(house).run("login", "acme") == 0


def test_models_are_named_with_their_provider(house):
    signed_in(house)
    terminal = Terminal(house)

    code = terminal.run("models")

    assert (code, terminal.out) == (0, "acme:practice-small\nacme:practice-large\n")


def test_one_provider_can_be_asked_alone(house):
    signed_in(house)
    terminal = Terminal(house)

    terminal.run("models", "acme", "--json")

    told = json.loads(terminal.out)
    assert told["models"] == ["acme:practice-small", "acme:practice-large"]
    assert (told["refused"], told["faults"]) == ({}, [])
    assert told["read_at"]["acme"].endswith("Z")


def test_a_fault_of_one_provider_does_not_hide_the_models_of_the_others(house, monkeypatch):
    signed_in(house)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-from-outside")
    house.vault.choices.set("served:anthropic", "acc_gone")
    terminal = Terminal(house)

    code = terminal.run("models")

    assert (code, terminal.out) == (0, "acme:practice-small\nacme:practice-large\n")
    assert terminal.err.startswith("anthropic:\nerror: ")


def test_a_list_that_cannot_be_renewed_is_shown_with_its_age(house, practice, config):
    signed_in(house)
    Terminal(house).run("models")
    account = house.services.book.all()[0]
    name = f"models:{account.id}"
    kept = json.loads(house.stores.preferences.get(name))
    older = kept | {"read_at": "2026-01-05T10:00:00+00:00", "refused": {"practice-huge": "is not in your Plus plan"}}
    house.stores.preferences.set(name, json.dumps(older))
    httpx2.post(f"{practice}/sandbox/faults", json={"kind": "unavailable", "endpoint": "model"})

    with open_house(here=config.parent) as restarted:
        terminal = Terminal(restarted)
        code = terminal.run("models")

    assert (code, terminal.out) == (0, "acme:practice-small\nacme:practice-large\n")
    assert "acme:practice-huge is not in your Plus plan." in terminal.err
    assert "acme: this list was read on 5 January, " in terminal.err


def test_without_any_account_a_sign_in_is_needed(house):
    terminal = Terminal(house)

    code = terminal.run("models", "--json")

    assert (code, json.loads(terminal.out)["error"]) == (3, "sign_in_needed")


def test_providers_as_json_are_the_listing(house):
    terminal = Terminal(house)

    terminal.run("providers", "--json")

    assert json.loads(terminal.out) == {"providers": house.services.listing.providers(frozenset())}


def test_each_way_is_shown_with_its_verdict_and_the_day_it_was_read(house):
    terminal = Terminal(house)

    terminal.run("providers")

    lines = {" ".join(line.split()) for line in terminal.out.splitlines()}
    assert "Codex sign-in codex contested read 2026-08-31 off" in lines
    assert "Claude Pro or Max claude forbidden read 2026-09-30 needs a client id" in lines


def test_providers_fit_the_terminal(house):
    terminal = Terminal(house)

    terminal.run("providers")

    assert max(cells(line) for line in terminal.out.splitlines()) <= 80


def test_a_connected_provider_says_so(house):
    signed_in(house)
    terminal = Terminal(house)

    terminal.run("providers")

    assert "acme  Acme · connected\n" in terminal.out
