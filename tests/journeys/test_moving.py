"""From one computer to another, as a person does it: the sign-in works there, and only one of the two may renew it."""

from datetime import timedelta

import httpx2
import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in
from tests.journeys.program import Program

pytestmark = pytest.mark.slow

PHRASE = "correct horse battery\n"


@pytest.fixture
def there(home, practice):
    """Another computer: a home of its own, and the same providers."""
    other = Program(home / "there")
    other.configure(config(practice.url))
    return other


@pytest.fixture
def file(home):
    return home / "moving.doorkey"


@pytest.fixture
def moved(program, there, file):
    """Ada's account, exported here and restored there."""
    sign_in(program, "acme", "--name", "ada")
    exported = program.run("export", str(file), stdin=PHRASE)
    restored = there.run("restore", str(file), "--yes", "--json", stdin=PHRASE)
    assert (exported.code, restored.code) == (0, 0), (exported, restored)
    return restored


@pytest.mark.usefixtures("moved")
def test_the_token_works_on_the_other_computer(program, there, practice):
    token = there.run("token", "acme").out.strip()

    models = httpx2.get(f"{practice.url}/v1/models", headers={"authorization": f"Bearer {token}"})

    assert models.status_code == 200
    assert token == program.run("token", "acme").out.strip()


@pytest.mark.usefixtures("moved")
def test_the_other_computer_renews_it(program, there, practice):
    before = program.run("token", "acme").out
    there.grow_old(before_its_end=timedelta(0))

    renewed = there.run("token", "acme")

    assert (renewed.code, renewed.err) == (0, "")
    assert renewed.out not in {"", before}
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1


@pytest.mark.usefixtures("moved")
def test_a_renewal_on_the_first_computer_afterwards_is_taken_for_theft_and_says_what_to_do(program, there):
    for each in (there, program):
        each.grow_old(before_its_end=timedelta(0))
    there.run("token", "acme")

    late = program.run("token", "acme")

    (account,) = program.accounts()
    assert (late.code, late.out) == (3, "")
    assert account["state"] == "sign_in_needed"
    assert "hint: " in late.err


@pytest.mark.usefixtures("moved")
def test_logged_out_where_it_came_from_it_goes_on_where_it_went(program, there):
    program.run("logout", "ada")
    there.grow_old(before_its_end=timedelta(0))

    renewed = there.run("token", "acme")

    assert renewed.code == 0
    assert program.accounts() == []


@pytest.mark.usefixtures("moved")
def test_nothing_that_went_over_the_wire_is_in_the_file_or_on_a_screen(program, there, file, wire):
    secrets = {
        value
        for exchange in wire.seen
        if exchange.path == "/token"
        for value in httpx2.Response(200, content=exchange.answer).json().values()
        if isinstance(value, str) and len(value) > 20
    }

    told = "".join(program.said + there.said) + file.read_bytes().decode("latin-1")

    assert len(secrets) >= 3
    assert [secret[:12] for secret in secrets if secret in told] == []
    assert PHRASE.strip() not in told


def test_at_a_terminal_the_passphrase_is_typed_and_not_shown(program, there, file):
    sign_in(program, "acme", "--name", "ada")
    words = PHRASE.strip()

    exported = program.at_terminal("export", str(file), answers={"characters": words, "once more": words})
    restored = there.at_terminal("restore", str(file), answers={"Passphrase": words, "[y/N]": "y"})

    assert (exported.code, restored.code) == (0, 0), (exported, restored)
    assert words not in exported.err + restored.err
    assert there.accounts()[0]["name"] == "ada"
