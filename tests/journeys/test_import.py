"""What other programs keep here, imported by the real command; their files are never written."""

import json
from datetime import timedelta

import pytest

from doorkey.domain.secret import Secret
from tests.adapters.imports.foreign import BOB, CANARY, claude_login, codex_login, state_of, write
from tests.journeys.configs import config
from tests.journeys.person import AGREE

pytestmark = pytest.mark.slow

IMPORT_CODEX = "Import sign-in of codex (ada@example.com)?"


@pytest.fixture
def codex_file(home, program, practice):
    """Codex's own file, and a Doorkey whose person has switched the method on."""
    program.configure(config(practice.url, codex=True))
    program.environ["CODEX_HOME"] = str(home / "codex")
    return write(home / "codex" / "auth.json", codex_login())


@pytest.fixture
def connected(program, codex_file):
    program.agree("method:openai:codex")
    taken = program.run("import", "codex", "--yes", "--json")
    assert taken.code == 0, taken
    return program


def access_in(path):
    return json.loads(path.read_text())["tokens"]["access_token"]


def test_a_person_is_asked_for_the_import_and_for_the_terms(program, codex_file):
    declined = program.at_terminal("import", "codex", answers={IMPORT_CODEX: ""})
    assert program.accounts() == []

    taken = program.at_terminal("import", "codex", answers={IMPORT_CODEX: "y", AGREE: "y"})

    assert (declined.code, taken.code) == (0, 0)
    assert "Imported: ada@example.com, which serves openai." in taken.err
    (account,) = program.accounts()
    assert (account["provider"], account["method"], account["state"]) == ("openai", "codex", "ready")


def test_a_yes_to_the_terms_is_not_part_of_yes(program, codex_file):
    refused = program.run("import", "codex", "--yes")

    assert (refused.code, program.accounts()) == (5, [])


def test_the_token_is_the_one_that_codex_has_now(connected, codex_file):
    first = connected.run("token", "openai")
    write(codex_file, codex_login(word="renewed"))
    second = connected.run("token", "openai")

    assert first.out != second.out
    assert second.out.strip() == access_in(codex_file)


def test_nothing_of_codex_comes_into_the_vault_and_nothing_of_it_is_written(connected, codex_file):
    codex_file.chmod(0o400)
    codex_file.parent.chmod(0o500)
    before = state_of(codex_file.parent)

    connected.run("token", "openai")
    connected.run("accounts")
    connected.run("chat", "--model", "openai:practice-small", "hello")
    connected.run("import", "codex", "--yes")
    left = connected.run("logout", "ada@example.com", "--revoke")

    assert state_of(codex_file.parent) == before
    assert sorted(codex_file.parent.iterdir()) == [codex_file]
    assert (left.code, connected.accounts()) == (1, [])
    codex_file.parent.chmod(0o700)


def test_the_vault_holds_an_empty_place_for_it(connected):
    with connected.house() as house:
        (account,) = house.services.book.all()
        assert house.vault.accounts.load(account.id).tokens.access == Secret("")


def test_a_token_that_has_run_out_asks_for_codex_and_nobody_renews_it(connected, codex_file, wire):
    write(codex_file, codex_login(lasts=timedelta(minutes=-1)))

    token = connected.run("token", "openai")
    (account,) = connected.accounts()

    assert (token.code, token.out) == (3, "")
    assert "Open Codex to renew it" in token.err
    assert (account["state"], account["action"]) == ("sign_in_needed", "open_owner")
    assert wire.to("/oauth/token") == []

    write(codex_file, codex_login(word="renewed by Codex"))

    assert connected.run("token", "openai").code == 0
    assert connected.accounts()[0]["state"] == "ready"


def test_somebody_else_in_codex_is_never_used_in_ones_place(connected, codex_file):
    write(codex_file, codex_login(BOB))

    token = connected.run("token", "openai")
    again = connected.run("import", "codex", "--yes", "--json")

    assert (token.code, token.out) == (3, "")
    assert "signed in as bob@example.com now" in token.err
    assert [each["identity"] for each in again.json["imported"]] == ["bob@example.com"]
    assert len(connected.accounts()) == 2


def test_with_the_method_off_again_the_account_stops(connected, practice):
    connected.configure(config(practice.url, codex=False))

    assert connected.run("token", "openai").code == 5


def test_a_chat_over_a_borrowed_sign_in_goes_out_under_our_own_name(connected, wire, codex_file):
    refused = connected.run("chat", "--model", "openai:practice-small", "hello")

    assert refused.code == 3
    assert "The sign-in that Codex keeps is not accepted." in refused.err
    call = wire.to("/backend-api/codex/responses")[0]
    assert call.headers["authorization"] == f"Bearer {access_in(codex_file)}"
    assert (call.headers["originator"], call.headers["chatgpt-account-id"]) == ("doorkey", "ws-1")


def test_a_profile_of_ant_is_imported_as_the_login_would(program, home):
    folder = home / "anthropic"
    write(folder / "credentials" / "default.json", {"access_token": f"sk-ant-oat01-{CANARY}"})
    program.environ["ANTHROPIC_CONFIG_DIR"] = str(folder)

    taken = program.run("import", "ant", "--yes", "--json")
    logged_in = program.run("login", "anthropic", "--method", "console", "--json")

    assert taken.code == logged_in.code == 0
    (account,) = program.accounts()
    assert (account["method"], account["identity"]) == ("console", "default")
    assert program.run("token", "anthropic").out == f"sk-ant-oat01-{CANARY}\n"


def test_keys_are_copied_from_llm_and_from_a_dotenv_and_both_files_stay(program, home, practice):
    key = practice.sandbox.make_key()
    folder = home / "shop"
    write(folder / ".env", f"ACME_API_KEY={key}\nACME_BASE_URL=http://evil.example\n", mode=0o400)
    write(folder / "llm" / "keys.json", {"// Note": "", "acme": key, "nobody": CANARY}, mode=0o400)
    folder.chmod(0o500)
    before = state_of(folder)
    program.environ["LLM_USER_PATH"] = str(folder / "llm")

    from_env = program.run("import", "env", str(folder / ".env"), "--yes", "--json")
    from_llm = program.run("import", "llm", "--yes", "--json")

    assert (from_env.code, from_llm.code) == (0, 0), (from_env, from_llm)
    assert [each["outcome"] for each in from_llm.json["found"]] == ["here", "refused"]
    (account,) = program.accounts()
    assert account["name"] == "ACME_API_KEY from ~/shop/.env"
    assert program.run("token", "acme").out == f"{key}\n"
    assert state_of(folder) == before
    folder.chmod(0o700)


def test_claude_code_is_shown_and_nothing_of_it_is_told(program, home):
    path = write(home / ".claude" / ".credentials.json", claude_login())
    before = state_of(path.parent)

    listed = program.run("import")
    refused = program.run("import", "claude-code", "--yes", "--json")

    assert (listed.code, refused.code) == (0, 5)
    assert "max plan" in listed.out
    assert "API key" in refused.json["hint"]
    assert CANARY not in "".join(program.said)
    assert state_of(path.parent) == before
