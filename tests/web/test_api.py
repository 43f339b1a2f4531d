"""The JSON interface: the bodies of design section 5, and no token in any of them."""

import socket
from urllib.parse import urlsplit

import pytest
from starlette.requests import HTTPConnection

from doorkey.errors import (
    ConsentNeeded,
    DoorkeyError,
    FolderRefused,
    KeyUnreadable,
    PolicyRefused,
    ProviderUnavailable,
    RequestRefused,
    SignInNeeded,
    StorageFull,
    UnknownName,
    UsageLimitReached,
)
from doorkey.testing.values import an_identity
from doorkey.web.replies import refuse, status_of
from tests.web.room import reply_to


async def start(browser, **body):
    return await browser.post("/api/sign-ins", json={"provider": "acme", "method": "oauth"} | body)


async def test_providers_are_listed_with_methods_policies_and_accounts(room, browser):
    account = room.keep()

    answer = await browser.get("/api/providers")

    acme = next(each for each in answer.json()["providers"] if each["id"] == "acme")
    assert (acme["name"], acme["connected"], acme["expired"]) == ("Acme", True, False)
    assert [method["id"] for method in acme["methods"]] == ["oauth", "api-key"]
    assert acme["methods"][0]["policy"]["verdict"] == "allowed"
    assert [each["id"] for each in acme["accounts"]] == [account.id]


async def test_a_sign_in_starts_waits_and_is_signed_in(browser):
    started = await start(browser)
    begun = started.json()
    waiting = await browser.get(f"/api/sign-ins/{begun['id']}")

    done = await browser.post(f"/api/sign-ins/{begun['id']}/reply", json={"text": reply_to(begun)})

    assert started.status_code == 201
    assert begun["state"] == waiting.json()["state"] == "waiting"
    assert begun["redirect"].startswith("http://127.0.0.1:")
    assert begun["expires_at"].endswith("Z")
    assert done.status_code == 200
    assert done.json()["state"] == "signed_in"
    assert done.json()["account"]["provider"] == "acme"


async def test_a_reply_of_another_sign_in_is_refused_and_the_attempt_goes_on(browser):
    begun = (await start(browser)).json()
    other = (await start(browser)).json()

    refused = await browser.post(f"/api/sign-ins/{begun['id']}/reply", json={"text": reply_to(other)})
    taken = await browser.post(f"/api/sign-ins/{begun['id']}/reply", json={"text": reply_to(begun)})

    assert refused.status_code == 422
    assert refused.json()["error"] == "reply_rejected"
    assert refused.json()["hint"]
    assert taken.json()["state"] == "signed_in"


async def test_a_denied_sign_in_has_failed_and_says_why(browser):
    begun = (await start(browser)).json()
    denied = await browser.post(
        f"/api/sign-ins/{begun['id']}/reply", json={"text": reply_to(begun, error="access_denied")}
    )

    answer = await browser.get(f"/api/sign-ins/{begun['id']}")

    assert denied.status_code == 422
    assert answer.json()["state"] == "failed"
    assert answer.json()["error"] == "sign_in_failed"


async def test_a_cancelled_sign_in_frees_its_port(room, browser):
    begun = (await start(browser)).json()
    listener = room.services.sign_ins.find(begun["id"]).listener

    answer = await browser.delete(f"/api/sign-ins/{begun['id']}")

    assert answer.status_code == 204
    assert listener is not None
    with pytest.raises(OSError, match="refused"):
        connect(begun["redirect"])


def connect(redirect):
    with socket.create_connection(("127.0.0.1", urlsplit(redirect).port)):
        """It is still listening."""


async def test_a_method_that_needs_a_consent_names_it(browser):
    refused = await start(browser, provider="anthropic", method="claude")
    consent = refused.json()["consent"]
    await browser.post("/api/consents", json={"name": consent})

    started = await start(browser, provider="anthropic", method="claude")

    assert refused.status_code == 403
    assert refused.json()["error"] == "consent_needed"
    assert started.status_code == 201


async def test_a_key_is_kept_and_never_told(room, browser):
    answer = await browser.post("/api/keys", json={"provider": "acme", "key": "key-canary", "name": "work"})

    account = answer.json()
    assert answer.status_code == 201
    assert (account["name"], account["method"]) == ("work", "api-key")
    assert "canary" not in answer.text
    assert room.house.vault.accounts.load(account["id"]).tokens.access.reveal() == "key-canary"


async def test_a_key_that_is_none_is_refused_without_repeating_it(browser):
    answer = await browser.post("/api/keys", json={"provider": "acme", "key": "two words canary"})

    assert answer.status_code == 422
    assert "canary" not in answer.text


async def test_an_account_becomes_the_default(room, browser):
    room.keep(id="acc_first")
    room.keep(id="acc_second", identity=an_identity(subject="grace"))

    answer = await browser.post("/api/accounts/acc_second/default")

    assert answer.json()["default"] is True
    assert room.services.resolver.default("acme").id == "acc_second"


async def test_disconnecting_forgets_the_account(room, browser):
    account = room.keep()

    answer = await browser.delete(f"/api/accounts/{account.id}?revoke=false")

    assert answer.status_code == 204
    assert room.services.book.all() == []
    assert room.endpoints.requests == []


async def test_disconnecting_can_revoke_at_the_provider(room, browser):
    account = room.keep()

    answer = await browser.delete(f"/api/accounts/{account.id}?revoke=true")

    assert answer.status_code == 204
    assert [request.url for request in room.endpoints.requests] == ["https://issuer.example/revoke"]


async def test_a_revocation_that_was_not_confirmed_is_told_and_forgets_all_the_same(room, browser):
    account = room.keep()
    room.endpoints.scripted.append(ProviderUnavailable("issuer.example did not answer."))

    answer = await browser.delete(f"/api/accounts/{account.id}?revoke=true")

    assert answer.status_code == 200
    assert answer.json()["revoked"] is False
    assert answer.json()["error"] == "provider_unavailable"
    assert answer.json()["hint"]
    assert room.services.book.all() == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/sign-ins/nothing", None),
        ("POST", "/api/sign-ins", {"provider": "nobody"}),
        ("DELETE", "/api/accounts/nobody", None),
        ("GET", "/api/nothing", None),
    ],
)
async def test_what_is_not_there_is_404_in_json(browser, method, path, body):
    answer = await browser.request(method, path, json=body)

    assert answer.status_code == 404
    assert answer.json()["error"] == "unknown_name"


@pytest.mark.parametrize("body", [{}, {"provider": 1}, {"provider": ["acme"]}, {"provider": None}])
async def test_a_body_without_what_it_needs_is_400(browser, body):
    answer = await browser.post("/api/sign-ins", json=body)

    assert answer.status_code == 400


async def test_no_route_tells_a_token(room, browser):
    room.keep()
    room.found("ACME_API_KEY", "env-canary")
    begun = (await start(browser)).json()
    paths = ["/", "/settings/providers", "/settings/browsers", "/picker", "/api/providers", "/api/accounts"]

    texts = [(await browser.get(path)).text for path in [*paths, f"/api/sign-ins/{begun['id']}"]]

    attempt = room.services.sign_ins.find(begun["id"]).attempt
    secrets = ["canary", attempt.verifier.reveal(), browser.cookies["doorkey"], browser.headers["x-doorkey-key"]]
    assert not [secret for secret in secrets for text in texts if secret in text]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SignInNeeded("x"), 409),
        (ConsentNeeded("x"), 403),
        (PolicyRefused("x"), 403),
        (RequestRefused("x"), 403),
        (FolderRefused("x"), 422),
        (UnknownName("x"), 404),
        (UsageLimitReached("x"), 429),
        (ProviderUnavailable("x"), 503),
        (KeyUnreadable("x"), 500),
        (StorageFull("x"), 507),
    ],
)
def test_each_error_has_its_status(error, status):
    assert status_of(error) == status


def test_every_error_of_ours_has_a_status():
    kinds = [DoorkeyError]
    for kind in kinds:
        kinds += kind.__subclasses__()

    ours = [kind for kind in kinds if kind.__module__ == "doorkey.errors" and kind is not DoorkeyError]
    unknown = {kind.__name__ for kind in ours if status_of(kind("x")) == 500}

    assert unknown == {"NeedsPerson", "VaultError", "KeyUnreadable", "PassphraseNeeded", "VaultDamaged"}


def test_a_fault_that_passes_says_when_to_try_again():
    asked = HTTPConnection({"type": "http", "path": "/api/x", "headers": []})

    answer = refuse(asked, ProviderUnavailable("x", retry_after=2.4))

    assert answer.headers["retry-after"] == "2"
