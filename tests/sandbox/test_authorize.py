"""Who may ask for a sign-in, what a person is shown, and what is sent back."""

from typing import Any

import pytest

from tests.sandbox.visitor import BASE_URL, PLAN, Visitor, sent_back

ANOTHER_HOST = "urn:uuid:00000000-0000-4000-8000-000000000000"


async def test_an_allowed_sign_in_sends_back_code_state_and_issuer(visitor: Visitor):
    reply = await visitor.consent()

    assert reply.keys() == {"code", "state", "iss"}
    assert (reply["state"], reply["iss"]) == ("the-state", BASE_URL)


async def test_a_denied_sign_in_says_so_with_state_and_issuer(visitor: Visitor):
    reply = await visitor.answer(await visitor.ask(), decision="deny")

    assert (reply["error"], reply["state"], reply["iss"]) == ("access_denied", "the-state", BASE_URL)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
async def test_a_wrong_request_is_sent_back_with_state_and_issuer(visitor: Visitor, params: dict[str, Any], error: str):
    reply = sent_back(await visitor.ask(**params))

    assert (reply["error"], reply["state"], reply["iss"]) == (error, "the-state", BASE_URL)


async def test_a_request_without_state_is_refused(visitor: Visitor):
    reply = sent_back(await visitor.ask(state=None))

    assert reply["error"] == "invalid_request"


async def test_a_repeated_parameter_is_refused(visitor: Visitor):
    page = await visitor.ask()
    again = await visitor.http.get(f"{page.request.url}&nonce=another")

    assert sent_back(again)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "params",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "practice-codex"},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1:5001/other"},
        {"redirect_uri": "http://127.0.0.1:5001/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1:99999/callback"},
        {"redirect_uri": "http://localhost:5001/callback"},
        {"redirect_uri": "https://127.0.0.1:5001/callback"},
        {"redirect_uri": "http://127.0.0.1:5001@evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:5001/callback"},
    ],
)
async def test_an_unknown_client_or_redirect_is_shown_and_never_redirected(visitor: Visitor, params: dict[str, Any]):
    page = await visitor.ask(**params)

    assert page.status_code == 400
    assert "location" not in page.headers
    assert "This sign-in cannot start" in page.text


@pytest.mark.parametrize("redirect", ["http://127.0.0.1:1/callback", "http://[::1]:65535/callback"])
async def test_any_port_of_a_registered_loopback_address_is_taken(visitor: Visitor, redirect: str):
    page = await visitor.ask(redirect_uri=redirect)

    assert page.headers["location"].startswith("/sign-in/")


@pytest.mark.parametrize(("port", "status"), [(1455, 303), (1457, 303), (1456, 400)])
async def test_codex_has_two_fixed_ports(visitor: Visitor, port: int, status: int):
    page = await visitor.ask("codex", redirect_uri=f"http://localhost:{port}/auth/callback")

    assert page.status_code == status


async def test_a_sign_in_can_be_answered_once(visitor: Visitor):
    page = await visitor.ask()
    await visitor.answer(page)

    again = await visitor.http.post(page.headers["location"], data={"decision": "allow"})

    assert again.status_code == 404


async def test_a_sign_in_that_waited_too_long_is_over(visitor: Visitor):
    page = await visitor.ask()
    visitor.clock.advance(601)

    late = await visitor.http.get(page.headers["location"])

    assert late.status_code == 404


async def test_allowing_before_a_person_is_chosen_does_nothing(visitor: Visitor):
    page = await visitor.ask()

    hasty = await visitor.http.post(page.headers["location"], data={"decision": "allow"})

    assert hasty.status_code == 422


async def test_a_person_can_be_invented(visitor: Visitor):
    page = await visitor.ask()
    reply = await visitor.answer(page, "other", name="Mary <b>Somerville", email="Mary@Example.org")

    tokens = (await visitor.exchange(reply)).json()

    assert visitor.sandbox.log.notes[-1].account == "Mary <b>Somerville"
    assert tokens["access_token"]


async def test_a_typed_name_is_escaped(visitor: Visitor):
    page = await visitor.ask()
    path = page.headers["location"]
    await visitor.http.post(path, data={"person": "other", "name": "<script>", "email": "a@b.example"})

    shown = await visitor.http.get(path)

    assert "&lt;script&gt;" in shown.text
    assert "<script>" not in shown.text


async def test_an_invented_person_needs_a_name_and_an_address(visitor: Visitor):
    page = await visitor.ask()

    shown = await visitor.http.post(page.headers["location"], data={"person": "other", "name": "Mary", "email": "no"})

    assert shown.status_code == 422
    assert "Type a name and an e-mail address" in shown.text


async def test_consent_says_in_plain_words_what_is_asked(visitor: Visitor):
    page = await visitor.ask()
    path = page.headers["location"]
    await visitor.http.post(path, data={"person": "practice-grace"})

    shown = (await visitor.http.get(path)).text

    assert "stay signed in until you disconnect it" in shown
    assert "Compiler Works" in shown


@pytest.mark.parametrize("hint", [{"login_hint": "grace@practice.example"}, {"id_token_hint": "HERS"}])
async def test_a_hint_preselects_the_person(visitor: Visitor, hint: dict[str, str]):
    if "id_token_hint" in hint:
        hint = {"id_token_hint": (await visitor.sign_in(person="practice-grace"))["id_token"]}
    page = await visitor.ask(**hint)

    shown = (await visitor.http.get(page.headers["location"])).text

    assert shown.index("practice-grace") < shown.index(" checked") < shown.index("practice-alan")


async def test_a_first_plan_sign_in_sends_back_an_issued_client_id(visitor: Visitor):
    reply = await visitor.consent("plan")

    assert reply["client_id"].startswith("oaiapp_")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"resource": None}, "invalid_target"),
        ({"resource": "not an address"}, "invalid_target"),
        ({"ext_agent_host_id": None}, "invalid_request"),
        ({"ext_agent_host_id": "my-laptop"}, "invalid_request"),
        ({"agent_name_hint": None}, "invalid_request"),
    ],
)
async def test_a_plan_registration_needs_its_parameters(visitor: Visitor, params: dict[str, Any], error: str):
    reply = sent_back(await visitor.ask("plan", **params))

    assert reply["error"] == error


async def test_reauthorization_keeps_the_issued_client_id(visitor: Visitor):
    tokens = await visitor.sign_in("plan")

    reply = await visitor.consent("plan", client_id=tokens["client_id"], agent_name_hint=None)

    assert reply["client_id"] == tokens["client_id"]


async def test_reauthorization_from_another_host_is_refused(visitor: Visitor):
    tokens = await visitor.sign_in("plan")

    reply = sent_back(await visitor.ask("plan", client_id=tokens["client_id"], ext_agent_host_id=ANOTHER_HOST))

    assert reply["error"] == "invalid_request"


async def test_claude_shows_code_and_state_to_be_copied(visitor: Visitor):
    paste = f"{BASE_URL}/oauth/code/callback"
    reply = await visitor.consent("claude", redirect_uri=paste)

    shown = await visitor.http.get(paste, params=reply)

    assert f"{reply['code']}#the-state" in shown.text


async def test_the_registration_id_is_no_client_of_another_endpoint(visitor: Visitor):
    page = await visitor.ask(client_id=PLAN["client_id"])

    assert page.status_code == 400
