"""Other names and other pages stay outside."""

import pytest

from doorkey.sandbox import Sandbox
from tests.sandbox.visitor import Visitor


@pytest.mark.parametrize("host", ["127.0.0.1:8378", "localhost:8378", "[::1]:8378", "localhost"])
async def test_loopback_names_are_served(visitor: Visitor, host: str):
    answer = await visitor.http.get("/sandbox/health", headers={"Host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "192.168.0.7", ""]
)
async def test_other_names_are_refused(visitor: Visitor, host: str):
    answer = await visitor.http.get("/sandbox/health", headers={"Host": host})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/sandbox/faults", "/keys", "/token", "/sign-in/any"])
async def test_another_page_changes_nothing(visitor: Visitor, path: str, headers: dict[str, str]):
    answer = await visitor.http.post(path, headers=headers)

    assert answer.status_code == 403


async def test_our_own_page_may_change_things(visitor: Visitor):
    own = {"Origin": "http://127.0.0.1:8378", "Sec-Fetch-Site": "same-origin"}

    answer = await visitor.http.post("/keys", data={"make": "1"}, headers=own)

    assert answer.status_code == 200


async def test_pages_allow_no_foreign_script_and_end_at_the_client_only(visitor: Visitor):
    page = await visitor.ask()
    await visitor.http.post(page.headers["location"], data={"person": "practice-ada"})

    consent = await visitor.http.get(page.headers["location"])

    policy = consent.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "form-action 'self' http://127.0.0.1:5001;" in policy
    assert "frame-ancestors 'none'" in policy
    assert consent.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("address", ["http://practice.example", "https://127.0.0.1:1", "http://127.0.0.1.evil.example"])
def test_a_sandbox_lives_on_loopback_only(address: str):
    with pytest.raises(ValueError, match="loopback"):
        Sandbox(address)
