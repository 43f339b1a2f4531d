import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from doorkey.adapters.imports.codex import CodexLogin
from doorkey.domain.finding import Taking
from doorkey.domain.owner import Owner
from doorkey.errors import ImportRejected, SignInNeeded
from doorkey.testing.clock import FakeClock
from tests.adapters.imports.foreign import BOB, codex_login, jwt, state_of, write


@pytest.fixture
def file(home):
    return write(home / ".codex" / "auth.json", codex_login())


@pytest.fixture
def codex():
    return CodexLogin({}, FakeClock())


@dataclass
class FinishingClock(FakeClock):
    """Whoever waits finds the file whole afterwards."""

    finish: object = field(default=None)

    def sleep(self, span):
        self.finish()


def access_in(file):
    return json.loads(file.read_text())["tokens"]["access_token"]


def test_the_sign_in_is_found_with_its_owner_plan_and_end(codex, file):
    (found,) = codex.look()

    assert (found.provider, found.method, found.taking, found.owner) == ("openai", "codex", Taking.READ, Owner.CODEX)
    assert (found.identity.email, found.identity.plan, found.identity.workspace) == ("ada@example.com", "plus", "ws-1")
    assert found.expires_at - datetime.now(UTC) > timedelta(days=8)
    assert (found.file, found.secret) == (str(file), None)


def test_an_api_key_of_codex_is_found_to_be_copied(codex, home):
    write(home / ".codex" / "auth.json", {"OPENAI_API_KEY": "sk-one", "tokens": None})

    (found,) = codex.look()

    assert (found.taking, found.called, found.secret.reveal()) == (Taking.COPY, "OPENAI_API_KEY from Codex", "sk-one")


def test_codex_home_says_where_it_is(tmp_path):
    write(tmp_path / "auth.json", codex_login(BOB))

    codex = CodexLogin({"CODEX_HOME": str(tmp_path)}, FakeClock())

    assert codex.active().email == "bob@example.com"
    assert codex.place == str(tmp_path / "auth.json")


def test_without_a_file_nothing_is_found_and_nobody_is_signed_in(codex):
    assert codex.look() == []
    with pytest.raises(SignInNeeded) as caught:
        codex.active()
    assert "codex login" in caught.value.hint


def test_the_access_token_is_read_anew_each_time_and_the_refresh_token_never(codex, file):
    ada = codex.active()
    first = codex.read(ada)

    write(file, codex_login(word="two"))
    second = codex.read(ada)

    assert first.access != second.access
    assert second.access.reveal() == access_in(file)
    assert (second.refresh, second.id_token) == (None, None)


def test_a_renewal_is_codexs_own_so_that_ours_reads_once_more(codex, file):
    before = state_of(file.parent)

    tokens = codex.renew(codex.active())

    assert tokens.access.reveal() == access_in(file)
    assert state_of(file.parent) == before


def test_when_somebody_else_has_signed_in_to_codex_nobody_is_served(codex, file):
    ada = codex.active()
    write(file, codex_login(BOB))

    with pytest.raises(SignInNeeded, match=r"as bob@example\.com now, not as ada@example\.com"):
        codex.read(ada)


def test_a_file_that_is_just_being_written_is_read_when_it_is_whole(file):
    whole = file.read_text()
    file.write_text(whole[:50])
    codex = CodexLogin({}, FinishingClock(finish=lambda: file.write_text(whole)))

    assert codex.active().email == "ada@example.com"


def test_a_damaged_file_is_refused_in_the_list_and_asks_for_codex_in_use(codex, file):
    file.write_text("{")

    with pytest.raises(ImportRejected, match="not whole"):
        codex.look()
    with pytest.raises(SignInNeeded) as caught:
        codex.active()
    assert "Open Codex" in caught.value.hint


def test_where_no_claim_tells_the_account_id_names_who_it_is(codex, home):
    tokens = {"access_token": "opaque", "account_id": "ws-9"}
    write(home / ".codex" / "auth.json", {"tokens": tokens})

    who = codex.active()

    assert (who.issuer, who.subject, who.workspace) == ("codex", "ws-9", "ws-9")
    assert codex.read(who).expires_at is None


def test_the_address_may_stand_in_the_access_token(codex, home):
    access = jwt({"sub": "ada", "https://api.openai.com/profile": {"email": "ada@example.com"}})
    write(home / ".codex" / "auth.json", {"tokens": {"access_token": access}})

    assert codex.active().email == "ada@example.com"


def test_names_that_are_too_long_for_names_are_cut(codex, home):
    write(home / ".codex" / "auth.json", {"tokens": {"access_token": "opaque", "account_id": "x" * 5000}})

    assert len(codex.active().subject) == 200
