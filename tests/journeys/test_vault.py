"""What happens when the vault, its key or the config is not as it should be: said in words, and nothing is lost."""

import base64
import sqlite3

import pytest

from doorkey.adapters.serving import hold
from tests.journeys.configs import config
from tests.journeys.person import sign_in

pytestmark = pytest.mark.slow

ANOTHER_KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def signed_in(program):
    sign_in(program, "acme", "--name", "ada")
    return program


def content(program):
    """Every row of the vault, in SQL."""
    with sqlite3.connect(f"file:{program.home}/vault.db?mode=ro", uri=True) as vault:
        rows = list(vault.iterdump())
    vault.close()
    return rows


def test_with_another_key_the_names_are_still_listed(signed_in):
    listed = signed_in.run("accounts", "--json", DOORKEY_KEY=ANOTHER_KEY)
    doctor = signed_in.run("doctor", "--json", DOORKEY_KEY=ANOTHER_KEY)

    (account,) = listed.json["accounts"]
    (finding,) = [each for each in doctor.json["findings"] if each["check"] == "key"]
    assert (listed.code, account["state"], account["action"]) == (0, "key_unreadable", "restore_key")
    assert account["identity"] == "ada@practice.example"
    assert not finding["ok"]
    assert finding["fix"]


@pytest.mark.parametrize(
    "line",
    [
        "token acme",
        "login acme --no-browser",
        "login acme --paste",
        "login acme --method api-key",
        "models acme",
        "chat --model acme:practice-small hello",
    ],
)
def test_with_another_key_whatever_needs_a_secret_stops_and_nothing_is_overwritten(signed_in, line):
    before = content(signed_in)

    stopped = signed_in.run(*line.split(), stdin="sk-new\n", DOORKEY_KEY=ANOTHER_KEY)

    assert stopped.code == 6
    assert "error: " in stopped.err
    assert "hint: " in stopped.err
    assert stopped.out == ""
    assert content(signed_in) == before


def test_a_key_that_is_none_says_what_one_looks_like(signed_in):
    stopped = signed_in.run("token", "acme", DOORKEY_KEY="no-key")

    assert (stopped.code, stopped.out) == (6, "")
    assert "base64 of 32 random bytes" in stopped.err


def test_with_the_right_key_again_everything_is_there(signed_in):
    signed_in.run("token", "acme", DOORKEY_KEY=ANOTHER_KEY)

    assert signed_in.run("token", "acme").out.startswith("sandbox-at-")


def test_without_its_key_file_no_new_one_is_made(signed_in):
    signed_in.home.joinpath("doorkey.key").rename(signed_in.home / "elsewhere")

    stopped = signed_in.run("token", "acme")

    assert stopped.code == 6
    assert not (signed_in.home / "doorkey.key").exists()


@pytest.mark.parametrize("line", ["login acme --no-browser", "logout ada", "use ada"])
def test_a_vault_that_somebody_holds_is_waited_for_and_then_reported(signed_in, line):
    holder = sqlite3.connect(signed_in.home / "vault.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    stopped = signed_in.run(*line.split())

    holder.close()
    assert stopped.code == 4
    assert "Another program holds the database." in stopped.err
    assert len(signed_in.accounts()) == 1


def test_a_file_that_is_no_vault_stops_everything(signed_in):
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        (signed_in.home / name).unlink(missing_ok=True)
    (signed_in.home / "vault.db").write_bytes(b"not a database" * 100)

    stopped = signed_in.run("accounts")

    assert stopped.code == 6
    assert (signed_in.home / "vault.db").read_bytes() == b"not a database" * 100


def test_a_mistake_in_the_config_is_named_and_the_rest_works(signed_in, practice):
    text = config(practice.url) + '[providers.broken]\nname = "Broken"\n[providers.acme.methods.odd]\nkind = "odd"\n'
    signed_in.configure(text)

    doctor = signed_in.run("doctor")
    token = signed_in.run("token", "acme")
    missed = signed_in.run("token", "broken")

    assert doctor.code == 1
    assert f"line {text.splitlines().index('[providers.broken]') + 1}, providers.broken.api.base_url" in doctor.out
    assert "providers.acme.methods.odd.kind" in doctor.out
    assert token.code == 0
    assert missed.code == 1
    assert "config.toml has mistakes that may have left it out" in missed.err


def test_a_config_that_is_no_toml_leaves_the_built_in_providers(signed_in):
    signed_in.configure("providers = [")

    doctor = signed_in.run("doctor")
    listed = signed_in.run("providers")

    assert (doctor.code, listed.code) == (1, 0)
    assert "nothing in the file is in force" in doctor.out
    assert "openai" in listed.out


@pytest.mark.parametrize("key", ["api.base_url", "methods.oauth.token_url"])
def test_an_account_is_blocked_where_the_config_names_another_origin(signed_in, practice, key):
    moved = config("http://127.0.0.1:9") if key == "api.base_url" else config(practice.url)
    signed_in.configure(moved.replace(f'token_url = "{practice.url}/token"', 'token_url = "http://127.0.0.1:9/token"'))

    token = signed_in.run("token", "acme", "--json")

    (account,) = signed_in.accounts()
    assert (token.code, token.json["error"]) == (1, "origin_changed")
    assert (account["state"], account["action"]) == ("blocked", "fix_config")
    assert account["reason"] == "the config names another address than this account was made for."


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("token nowhere", 1),
        ("login nowhere", 1),
        ("models nowhere", 1),
        ("login acme --method nothing", 1),
        ("token acme --account nobody", 1),
        ("use nobody", 1),
        ("logout nobody", 1),
        ("chat --model nowhere:x hello", 1),
        ("chat --model acme:unheard-of hello", 1),
        ("chat --model nonsense hello", 2),
        ("login acme --paste --device", 2),
    ],
)
def test_an_unknown_name_is_said_with_a_hint(signed_in, line, code):
    ended = signed_in.run(*line.split())

    assert ended.code == code
    assert "error: " in ended.err
    assert "hint: " in ended.err
    assert "Traceback" not in ended.err


def test_a_port_that_is_taken_is_said(program):
    with hold(0) as held:
        port = held.getsockname()[1]
        ended = program.run("open", "--port", str(port), "--no-browser")

    assert ended.code == 1
    assert str(port) in ended.err
    assert "hint: " in ended.err
