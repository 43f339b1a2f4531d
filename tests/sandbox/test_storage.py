"""What outlives a restart, and what is never in the file."""

import stat
from pathlib import Path

import httpx2
import pytest

from doorkey.sandbox import Sandbox
from tests.sandbox.conftest import BASE_URL, HandClock, Visitor


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


def opened(state_file: Path, clock: HandClock) -> Visitor:
    sandbox = Sandbox(BASE_URL, state_file=state_file, clock=clock)
    transport = httpx2.ASGITransport(sandbox.app)
    return Visitor(httpx2.AsyncClient(transport=transport, base_url=BASE_URL), sandbox, clock)


async def test_sign_ins_keys_and_registrations_outlive_a_restart(state_file: Path, clock: HandClock):
    before = opened(state_file, clock)
    tokens, key = await before.sign_in("plan"), before.sandbox.make_key()
    jwks = (await before.http.get("/jwks.json")).json()
    before.sandbox.close()

    after = opened(state_file, clock)

    assert (await after.models(tokens["access_token"])).status_code == 200
    assert (await after.models(key)).status_code == 200
    assert (await after.refresh(tokens, "plan")).status_code == 200
    assert (await after.refresh(tokens, "plan")).json()["error"] == "refresh_token_reused"
    assert (await after.http.get("/jwks.json")).json() == jwks
    assert (await after.consent("plan", client_id=tokens["client_id"]))["client_id"] == tokens["client_id"]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_file_holds_no_secret(state_file: Path, clock: HandClock):
    visitor = opened(state_file, clock)
    tokens, key = await visitor.sign_in(), visitor.sandbox.make_key()
    visitor.sandbox.close()

    written = everything_in(state_file.parent)

    for secret in (tokens["access_token"], tokens["refresh_token"], key):
        assert secret.encode() not in written


def test_the_file_is_readable_by_its_owner_only(state_file: Path):
    sandbox = Sandbox(BASE_URL, state_file=state_file)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in state_file.parent.iterdir()}

    sandbox.close()
    assert modes == {0o600}
