"""A router gives a key for a code: no app is registered there, and the path of an address is all the state there is."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from tests.sandbox.visitor import VERIFIER, Visitor, challenge

CALLBACK = "http://127.0.0.1:5001/callback/a-random-path"


async def ask(visitor: Visitor, **params: Any) -> httpx2.Response:
    asked = {"callback_url": CALLBACK, "code_challenge": challenge(), "code_challenge_method": "S256", **params}
    return await visitor.http.get("/auth", params={name: value for name, value in asked.items() if value is not None})


async def decide(visitor: Visitor, decision: str = "allow") -> str:
    """Go to the end and give the address that the browser is sent to."""
    path = (await ask(visitor)).headers["location"]
    await visitor.http.post(path, data={"person": "practice-ada"})
    return str((await visitor.http.post(path, data={"decision": decision})).headers["location"])


async def exchange(visitor: Visitor, code: str, **changes: Any) -> httpx2.Response:
    fields = {"code": code, "code_verifier": VERIFIER, "code_challenge_method": "S256"} | changes
    return await visitor.http.post("/api/v1/auth/keys", json=fields)


def code_of(address: str) -> str:
    return dict(parse_qsl(urlsplit(address).query))["code"]


async def test_the_reply_holds_a_code_and_nothing_else(visitor: Visitor):
    address = await decide(visitor)

    assert address.startswith(f"{CALLBACK}?")
    assert set(dict(parse_qsl(urlsplit(address).query))) == {"code"}


async def test_a_denial_comes_back_to_the_same_path(visitor: Visitor):
    address = await decide(visitor, "deny")

    assert address.startswith(f"{CALLBACK}?error=access_denied")


async def test_a_code_becomes_a_key_that_serves_and_does_not_end(visitor: Visitor):
    given = (await exchange(visitor, code_of(await decide(visitor)))).json()
    visitor.clock.advance(10 * 365 * 24 * 3600)

    listed = await visitor.http.get("/api/v1/models", headers={"authorization": f"Bearer {given['key']}"})

    assert given["user_id"].startswith("user_")
    assert [model["id"] for model in listed.json()["data"]] == ["practice-small", "practice-large"]


async def test_a_code_works_once(visitor: Visitor):
    code = code_of(await decide(visitor))
    first = await exchange(visitor, code)

    again = await exchange(visitor, code)

    assert (first.status_code, again.status_code) == (200, 403)
    assert again.json()["error"]["code"] == 403


async def test_a_wrong_verifier_is_refused_and_costs_the_code(visitor: Visitor):
    code = code_of(await decide(visitor))

    wrong = await exchange(visitor, code, code_verifier="another")
    right = await exchange(visitor, code)

    assert (wrong.status_code, right.status_code) == (403, 403)


async def test_a_code_of_another_dialect_is_no_code_here(visitor: Visitor):
    reply = await visitor.consent()

    refused = await exchange(visitor, reply["code"])

    assert refused.status_code == 403


@pytest.mark.parametrize(
    "changes", [{"code_challenge_method": "plain"}, {"client_id": "x"}, {"redirect_uri": CALLBACK}, {"state": "x"}]
)
async def test_an_exchange_holds_exactly_its_three_fields(visitor: Visitor, changes: dict[str, str]):
    refused = await exchange(visitor, code_of(await decide(visitor)), **changes)

    assert refused.status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"callback_url": None},
        {"callback_url": "https://elsewhere.example/callback"},
        {"callback_url": "http://127.0.0.1/callback"},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"client_id": "doorkey"},
        {"state": "x"},
    ],
)
async def test_a_request_that_is_not_right_is_told_to_the_person(visitor: Visitor, params: dict[str, str | None]):
    page = await ask(visitor, **params)

    assert page.status_code == 400
    assert "This sign-in cannot start" in page.text
