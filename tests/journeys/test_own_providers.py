"""Providers of the person's own, and keys that lie about: who may pay is asked once, and never changes in silence."""

from urllib.parse import urljoin

import httpx2
import pytest

from doorkey.testing.practice import ADA, approve
from tests.journeys.configs import config
from tests.journeys.person import AGREE, Login, sign_in

pytestmark = pytest.mark.slow

CHAT = ("chat", "--model", "acme:practice-small")
ACCOUNT_FIELDS = {
    "id", "name", "provider", "method", "identity", "plan", "workspace", "state", "until", "payer", "source",
    "expires_at", "last_proof", "default",
}  # fmt: skip

DISCOVERED = """
[providers.found.api]
base_url = "{url}/v1"
dialect = "openai-responses"
[providers.found.methods.oauth]
client_id = "doorkey"
issuer = "{url}"
scopes = ["openid", "profile", "email", "offline_access", "models"]
"""

OPEN = """
[providers.open.api]
base_url = "{url}/v1"
dialect = "openai-chat"
[providers.open.methods.none]
"""


def enter_code(page, code):
    """Type a code at the provider's page, on whichever device, and allow it."""
    path = httpx2.post(page, data={"user_code": code}).headers["location"]
    httpx2.post(urljoin(page, path), data={"person": ADA})
    decided = httpx2.post(urljoin(page, path), data={"decision": "allow"})
    httpx2.get(urljoin(page, decided.headers["location"]))


@pytest.fixture
def key(practice):
    return practice.sandbox.make_key()


@pytest.fixture
def project(home, key):
    """A folder whose `.env` holds a key, and what must never be taken from there."""
    folder = home / "project"
    folder.mkdir()
    (folder / ".env").write_text(f"export ACME_API_KEY='{key}'\nDOORKEY_KEY=nonsense\nACME_BASE_URL=http://evil\n")
    return folder


def test_explicit_addresses_are_enough(program):
    account = sign_in(program, "acme")

    answer = program.run(*CHAT, "who pays?")

    assert account["payer"] == "metered"
    assert "served to **Ada Lovelace**" in answer.out


def test_an_issuer_alone_is_enough(program, practice):
    program.configure(DISCOVERED.format(url=practice.url))
    practice.sandbox._world.token_lifetime = 0

    account = sign_in(program, "found")
    practice.sandbox._world.token_lifetime = 3600
    token = program.run("token", "found")
    left = program.run("logout", account["id"], "--revoke")

    assert account["identity"] == "ada@practice.example"
    assert token.out.startswith("sandbox-at-")
    assert (left.code, practice.sandbox.log.count(action="revoke", outcome="ok")) == (0, 1)


def test_an_issuer_alone_serves_a_code_on_another_device_too(program, practice):
    program.configure(DISCOVERED.format(url=practice.url))

    login = Login(program, "found", "--device")
    enter_code(login.begun["verification_uri"], login.begun["user_code"])
    ended = login.end()

    assert login.begun["event"] == "device_code"
    assert (ended.code, ended.events[-1]["account"]["identity"]) == (0, "ada@practice.example")


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("{url}/elsewhere", "The issuer publishes no metadata."),
        ("{url}/", "Write `issuer` without a slash at its end."),
        ("http://127.0.0.1:9", "127.0.0.1 could not be reached"),
    ],
)
def test_an_issuer_that_is_wrong_is_told_as_what_it_is(program, practice, issuer, words):
    wrong = DISCOVERED.replace('issuer = "{url}"', f'issuer = "{issuer}"')
    program.configure(wrong.format(url=practice.url))

    ended = program.run("login", "found", "--no-browser")

    assert ended.code in {1, 4}
    assert words in ended.err


def test_an_issuer_that_says_iss_is_always_sent_wants_the_whole_address(program, practice):
    program.configure(DISCOVERED.format(url=practice.url))
    login = Login(program, "found", "--paste")
    reply = approve(login.url)
    fields = dict(pair.split("=", 1) for pair in reply.partition("?")[2].split("&"))

    ended = login.end(f"{fields['code']}#{fields['state']}\n{reply}\n")

    assert ended.code == 0
    assert "Paste the whole address of the page instead of the code." in ended.err


def test_a_server_that_wants_no_key_costs_nothing_and_has_no_token(program, practice, wire):
    program.configure(OPEN.format(url=practice.url))

    kept = program.run("login", "open", "--json")
    token = program.run("token", "open")
    program.run("chat", "--model", "open:practice-small", "hello")

    assert (kept.code, kept.json["account"]["payer"], kept.json["account"]["method"]) == (0, "local", "none")
    assert (token.code, token.out) == (1, "")
    (call,) = wire.to("/v1/chat/completions")
    assert "authorization" not in call.headers


def test_the_shape_of_an_account(program):
    told = sign_in(program, "acme", "--name", "mine")

    (account,) = program.accounts()
    assert set(account) >= ACCOUNT_FIELDS
    assert account == told
    assert (account["name"], account["state"], account["source"], account["default"]) == (
        "mine",
        "ready",
        "managed",
        True,
    )
    assert account["expires_at"].endswith("Z")
    assert account["until"] is None


def test_the_shape_of_a_token(program, key):
    account = sign_in(program, "acme")

    managed = program.run("token", "acme", "--json")
    plain = program.run("token", "acme")
    bare = program.run("token", "openai", "--json", OPENAI_API_KEY=key)

    assert managed.json == {
        "token": plain.out.removesuffix("\n"),
        "expires_at": account["expires_at"],
        "account": account["id"],
        "payer": "metered",
    }
    assert (plain.err, plain.out.count("\n")) == ("", 1)
    assert bare.json == {"token": key, "expires_at": None, "account": None, "payer": "metered"}


def test_a_key_from_a_dotenv_waits_for_a_yes(program, project):
    token = program.run("token", "acme", "--json", here=project)
    answer = program.run(*CHAT, "hello", here=project)

    assert (token.code, token.json["error"]) == (5, "consent_needed")
    assert "ACME_API_KEY was found in a .env file that was not used before." in token.err
    assert answer.code == 5


def test_a_yes_to_a_dotenv_lasts_and_is_for_that_file_only(program, project, key, home):
    other = home / "other"
    other.mkdir()
    (other / ".env").write_text("ACME_API_KEY=sk-another\n")

    agreed = program.at_terminal("token", "acme", answers={AGREE: "y"}, here=project)
    later = program.run("token", "acme", here=project)
    elsewhere = program.run("token", "acme", here=other)

    assert agreed.out == later.out == f"{key}\n"
    assert elsewhere.code == 5


def test_a_dotenv_that_the_config_names_is_trusted_from_everywhere(program, project, practice, key):
    program.configure(f'env_files = ["{project / ".env"}"]\n' + config(practice.url))

    answer = program.run(*CHAT, "who pays?", here=project)
    token = program.run("token", "acme")

    assert answer.code == 0
    assert "ACME_API_KEY from .env · billed by use" in answer.err
    assert token.out == f"{key}\n"


def test_a_signed_in_account_stands_before_a_key(program, key):
    account = sign_in(program, "acme")

    token = program.run("token", "acme", "--json", ACME_API_KEY=key)

    assert token.json["account"] == account["id"]


def test_a_key_never_takes_over_where_an_account_served(program, key, practice):
    account = sign_in(program, "acme")
    program.run("logout", account["id"])

    token = program.run("token", "acme", "--json", ACME_API_KEY=key)
    answer = program.run(*CHAT, "hello", ACME_API_KEY=key)

    assert (token.code, token.json["consent"]) == (5, "env-key:acme")
    assert answer.code == 5
    assert practice.sandbox.log.count(credential="api_key") == 0


def test_one_yes_lets_the_key_take_over(program, key):
    account = sign_in(program, "acme")
    program.run("logout", account["id"])
    program.environ["ACME_API_KEY"] = key

    agreed = program.at_terminal("token", "acme", answers={AGREE: "y"})
    later = program.run("token", "acme")

    assert agreed.out == later.out == f"{key}\n"


def test_a_dead_account_is_not_replaced_by_a_key(program, key, practice):
    practice.sandbox._world.token_lifetime = 0
    sign_in(program, "acme")
    practice.sandbox.faults.add("revoked_grant", endpoint="token")

    token = program.run("token", "acme", ACME_API_KEY=key)

    assert (token.code, token.out) == (3, "")
    assert program.accounts()[0]["state"] == "sign_in_needed"
