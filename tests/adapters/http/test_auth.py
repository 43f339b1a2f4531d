import asyncio
import json
from dataclasses import dataclass, field, replace

import httpx2
import pytest

from doorkey.adapters.http.auth import AccountAuth, AsyncAccountAuth
from doorkey.domain.account import Origins
from doorkey.domain.provider import Kind
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, OriginChanged, SignInNeeded
from doorkey.ports import FoundKey
from doorkey.providers.anthropic import ANTHROPIC, CLAUDE
from doorkey.providers.anthropic import API_KEY as ANTHROPIC_KEY
from doorkey.providers.openai import API_KEY, CHATGPT, CODEX, OPENAI
from doorkey.service.hearing import MODEL_CALL, MODEL_LIST, Heard, deaf
from doorkey.service.resolve import Choice
from doorkey.testing.values import an_account, an_identity

PLAIN = Choice(
    provider=OPENAI, method=API_KEY, rule="test", key=FoundKey("OPENAI_API_KEY", Secret("key-1"), "environment")
)
URL = "https://api.openai.com/v1/responses"
REJECTED, RENEWED = Secret("token-1"), Secret("token-2")


def account_at(method, api, **changes):
    provider = ANTHROPIC if method in ANTHROPIC.methods else OPENAI
    account = an_account(provider=provider.id, method=method.id, origins=Origins(api=api), **changes)
    return Choice(provider=provider, method=method, rule="test", account=account)


PLAN = account_at(CHATGPT, "https://api.openai.com:443")
ASKED: dict[str, object] = {"stream": True}


@dataclass
class FakeSource:
    """Fill `Source` and, by `asynchronous`, `AsyncSource`: one token, and what renewal makes of it."""

    renewed: Secret | Exception = RENEWED
    renewals: list[Secret] = field(default_factory=list)

    def get(self):
        return REJECTED

    def renew(self, rejected):
        self.renewals.append(rejected)
        if isinstance(self.renewed, Exception):
            raise self.renewed
        return self.renewed


class Asynchronous:
    def __init__(self, source):
        self._source = source

    async def get(self):
        return self._source.get()

    async def renew(self, rejected):
        return self._source.renew(rejected)


@dataclass
class Server:
    """A model server that keeps what it was sent and answers with these statuses, the last one for ever."""

    statuses: tuple[int, ...] = (200,)
    location: str | None = None
    seen: list[httpx2.Request] = field(default_factory=list)

    def __call__(self, request):
        self.seen.append(request)
        status = self.statuses[min(len(self.seen), len(self.statuses)) - 1]
        headers = {"location": self.location} if self.location else {}
        return httpx2.Response(status, headers=headers, text="answer")


def send_by_thread(server, choice, source, method="POST", url=URL, *, hear=deaf, **request):
    auth = AccountAuth(choice, source, hear)
    with httpx2.Client(transport=httpx2.MockTransport(server), auth=auth) as client:
        return client.request(method, url, **request)


def send_by_loop(server, choice, source, method="POST", url=URL, *, hear=deaf, **request):
    auth = AsyncAccountAuth(choice, Asynchronous(source), hear)

    async def send():
        transport = httpx2.MockTransport(server)
        async with httpx2.AsyncClient(transport=transport, auth=auth) as client:
            return await client.request(method, url, **request)

    return asyncio.run(send())


both = pytest.mark.parametrize("send", [send_by_thread, send_by_loop])


@both
def test_a_request_carries_the_accounts_credential(send):
    server = Server()

    send(server, PLAN, FakeSource(), json=ASKED | {"model": "m"})

    assert server.seen[0].headers["authorization"] == "Bearer token-1"


@both
@pytest.mark.parametrize(
    "url",
    ["https://evil.example/v1/responses", "http://api.openai.com/v1", "https://api.openai.com:8443/v1",
     "https://api.openai.com.evil.example/v1", "https://api.openai.com@evil.example/v1"],
)  # fmt: skip
def test_a_credential_goes_to_its_own_origin_only(send, url):
    server = Server()

    with pytest.raises(OriginChanged):
        send(server, PLAN, FakeSource(), url=url, json=ASKED)

    assert server.seen == []


@both
def test_a_key_goes_to_its_providers_origin_only(send):
    server = Server()

    with pytest.raises(OriginChanged):
        send(server, PLAIN, FakeSource(), url="https://evil.example/v1", json={})

    assert server.seen == []


@both
@pytest.mark.parametrize("location", ["https://evil.example/v1", "https://api.openai.com/elsewhere"])
def test_a_redirect_is_not_followed(send, location):
    server = Server((307,), location)

    response = send(server, PLAN, FakeSource(), json=ASKED)

    assert response.status_code == 307
    assert len(server.seen) == 1


@both
def test_after_a_401_the_token_is_renewed_and_the_call_repeated_once(send):
    server, source = Server((401, 200)), FakeSource()

    response = send(server, PLAN, source, json=ASKED | {"model": "m"})

    assert response.status_code == 200
    assert [request.headers["authorization"] for request in server.seen] == ["Bearer token-1", "Bearer token-2"]
    assert server.seen[0].content == server.seen[1].content
    assert source.renewals == [REJECTED]


@both
def test_a_second_401_is_handed_on(send):
    server, source = Server((401,)), FakeSource()

    response = send(server, PLAN, source, json=ASKED)

    assert response.status_code == 401
    assert response.text == "answer"
    assert len(server.seen) == 2
    assert source.renewals == [REJECTED]


@both
def test_a_401_that_renewal_cannot_help_is_handed_on_at_once(send):
    server = Server((401, 200))

    response = send(server, PLAN, FakeSource(renewed=REJECTED), json=ASKED)

    assert response.status_code == 401
    assert len(server.seen) == 1


@both
def test_what_renewal_raises_reaches_the_caller(send):
    server = Server((401,))

    with pytest.raises(SignInNeeded):
        send(server, PLAN, FakeSource(renewed=SignInNeeded("ended")), json=ASKED)

    assert len(server.seen) == 1


@both
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_no_other_answer_is_repeated(send, status):
    server, source = Server((status,)), FakeSource()

    response = send(server, PLAN, source, json=ASKED)

    assert response.status_code == status
    assert source.renewals == []


@both
def test_a_body_gets_the_routes_form(send):
    server = Server()

    send(server, PLAN, FakeSource(), json=ASKED | {"model": "m", "temperature": 1, "store": True, "input": "ö"})

    (request,) = server.seen
    assert json.loads(request.content) == {"model": "m", "store": False, "stream": True, "input": "ö"}
    assert request.headers["content-length"] == str(len(request.content))


@both
def test_a_body_that_the_route_cannot_take_is_not_sent(send):
    server = Server()

    with pytest.raises(Misconfigured, match="previous_response_id"):
        send(server, PLAN, FakeSource(), json=ASKED | {"previous_response_id": "r"})

    assert server.seen == []


@both
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_a_body_that_is_no_object_is_sent_as_it_is(send, content):
    server = Server()

    send(server, PLAN, FakeSource(), content=content, headers={"content-type": "application/json"})

    assert server.seen[0].content == content


@both
def test_what_is_no_json_is_sent_as_it_is(send):
    server = Server()

    send(server, PLAN, FakeSource(), content=b"temperature", headers={"content-type": "text/plain"})
    send(server, PLAN, FakeSource(), "GET")

    assert [request.content for request in server.seen] == [b"temperature", b""]


def test_a_body_in_pieces_is_sent_whole():
    server = Server()

    pieces = iter([b'{"mod', b'el": "m", "stream": true}'])
    send_by_thread(server, PLAN, FakeSource(), content=pieces, headers={"content-type": "application/json"})

    (request,) = server.seen
    assert json.loads(request.content)["model"] == "m"
    assert "transfer-encoding" not in request.headers
    assert request.headers["content-length"] == str(len(request.content))


@both
@pytest.mark.parametrize(
    "placeholder",
    [{"authorization": "Bearer placeholder"}, {"X-Api-Key": "placeholder"}, {"Authorization": "Basic eA=="}],
)
def test_a_placeholder_never_leaves(send, placeholder):
    server = Server()

    send(server, PLAN, FakeSource(), json=ASKED, headers=placeholder | {"x-mine": "kept"})

    (request,) = server.seen
    assert request.headers.get_list("authorization") == ["Bearer token-1"]
    assert "x-api-key" not in request.headers
    assert request.headers["x-mine"] == "kept"


@both
def test_anthropic_gets_a_key_as_a_key_and_a_sign_in_as_a_bearer(send):
    url, origin = "https://api.anthropic.com/v1/messages", "https://api.anthropic.com:443"
    headers = {"anthropic-beta": "mine", "x-api-key": "placeholder", "authorization": "Bearer placeholder"}
    by_key, by_sign_in = Server(), Server()

    send(by_key, account_at(ANTHROPIC_KEY, origin), FakeSource(), url=url, json={}, headers=headers)
    send(by_sign_in, account_at(CLAUDE, origin), FakeSource(), url=url, json={}, headers=headers)

    assert by_key.seen[0].headers["x-api-key"] == "token-1"
    assert "authorization" not in by_key.seen[0].headers
    assert by_sign_in.seen[0].headers["authorization"] == "Bearer token-1"
    assert "x-api-key" not in by_sign_in.seen[0].headers
    assert by_sign_in.seen[0].headers["anthropic-beta"] == "mine,oauth-2025-04-20"


@both
def test_codex_is_told_the_workspace_and_our_name(send):
    server = Server()
    choice = account_at(CODEX, "https://chatgpt.com:443", identity=an_identity(workspace="ws-1"))

    send(server, choice, FakeSource(), url="https://chatgpt.com/backend-api/codex/responses", json=ASKED)

    assert server.seen[0].headers["originator"] == "doorkey"
    assert server.seen[0].headers["chatgpt-account-id"] == "ws-1"


@both
def test_a_server_without_credentials_gets_none(send):
    server = Server()
    keyless = replace(API_KEY, kind=Kind.NONE)

    send(server, replace(PLAIN, method=keyless), FakeSource(), json={}, headers={"authorization": "Bearer placeholder"})

    assert "authorization" not in server.seen[0].headers


@both
def test_the_final_answer_is_heard_once_with_what_it_refuses(send):
    heard: list[Heard] = []

    send(Server((401, 429)), PLAN, FakeSource(), hear=heard.append, json=ASKED)

    assert [(each.account, each.call, each.status, each.body) for each in heard] == [
        (PLAN.account and PLAN.account.id, MODEL_CALL, 429, b"answer")
    ]
    assert heard[0].headers["content-type"].startswith("text/plain")


@both
def test_of_an_answer_that_is_no_refusal_the_body_is_left_to_whoever_asked(send):
    heard: list[Heard] = []

    send(Server(), PLAN, FakeSource(), "GET", "https://api.openai.com/v1/models", hear=heard.append)

    assert [(each.call, each.status, each.body) for each in heard] == [(MODEL_LIST, 200, b"")]
