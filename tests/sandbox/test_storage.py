"""What outlives a restart, and what is never in the file."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest

from doorkey.sandbox import Sandbox
from tests.sandbox.visitor import BASE_URL, HandClock, Visitor


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


@asynccontextmanager
async def opened(state_file: Path, clock: HandClock) -> AsyncIterator[Visitor]:
    with closing(Sandbox(BASE_URL, state_file=state_file, clock=clock)) as sandbox:
        transport = httpx2.ASGITransport(sandbox.app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as http:
            yield Visitor(http, sandbox, clock)


async def test_sign_ins_keys_and_registrations_outlive_a_restart(state_file: Path, clock: HandClock):
    async with opened(state_file, clock) as before:
        tokens, key = await before.sign_in("plan"), before.sandbox.make_key()
        jwks = (await before.http.get("/jwks.json")).json()

    async with opened(state_file, clock) as after:
        assert (await after.models(tokens["access_token"])).status_code == 200
        assert (await after.models(key)).status_code == 200
        assert (await after.refresh(tokens, "plan")).status_code == 200
        assert (await after.refresh(tokens, "plan")).json()["error"] == "refresh_token_reused"
        assert (await after.http.get("/jwks.json")).json() == jwks
        assert (await after.consent("plan", client_id=tokens["client_id"]))["client_id"] == tokens["client_id"]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_file_holds_no_secret(state_file: Path, clock: HandClock):
    async with opened(state_file, clock) as visitor:
        tokens, key = await visitor.sign_in(), visitor.sandbox.make_key()

        written = everything_in(state_file.parent)

    for secret in (tokens["access_token"], tokens["refresh_token"], key):
        assert secret.encode() not in written


def test_the_file_is_readable_by_its_owner_only(state_file: Path):
    with closing(Sandbox(BASE_URL, state_file=state_file)):
        modes = {stat.S_IMODE(path.stat().st_mode) for path in state_file.parent.iterdir()}

    assert modes == {0o600}
