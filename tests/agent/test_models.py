import json
from collections.abc import Iterable

import httpx2
import pytest
from pydantic_ai import Agent

from doorkey.adapters.http.auth import AsyncAccountAuth
from doorkey.agent.models import PLACEHOLDER, build
from doorkey.domain.account import Origins
from doorkey.domain.provider import Api, Dialect, Kind, Method, Provider, origin
from doorkey.domain.secret import Secret
from doorkey.service.resolve import Choice
from doorkey.testing.values import an_account

CREDENTIAL = "canary-credential"
BASES = {
    Dialect.OPENAI_CHAT: "https://api.example/v1",
    Dialect.OPENAI_RESPONSES: "https://api.example/v1",
    Dialect.ANTHROPIC_MESSAGES: "https://api.example",
}
UNSET = "https://elsewhere.example/v1"


class Source:
    """Fill `AsyncSource` with one credential."""

    async def get(self) -> Secret:
        return Secret(CREDENTIAL)

    async def renew(self, rejected: Secret) -> Secret:
        return rejected


def choice(dialect: Dialect, kind: Kind = Kind.AUTHORIZATION_CODE, provider: str = "acme") -> Choice:
    method = Method(id="oauth", kind=kind, name="Sign in")
    base = BASES[dialect]
    account = an_account(provider=provider, origins=Origins(api=origin(base)))
    acme = Provider(id=provider, name="Acme", api=Api(base_url=base, dialect=dialect), methods=(method,))
    return Choice(provider=acme, method=method, rule="asked for", account=account)


def stream(events: Iterable[dict[str, object]], *, named: bool) -> str:
    """Write server-sent events, each named by its type where the dialect does so."""
    return "".join(
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events
    )


CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small"}
CHAT = stream(
    [CHUNK | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}],
    named=False,
)
MESSAGE: dict[str, object] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "small",
    "content": [],
    "stop_reason": None,
}
MESSAGES = stream(
    [
        {"type": "message_start", "message": MESSAGE | {"usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    named=True,
)
RESPONSE = {
    "id": "r",
    "object": "response",
    "created_at": 1,
    "model": "small",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
RESPONSES = stream(
    [
        {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
        {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "item_id": "i",
            "output_index": 0,
            "content_index": 0,
            "delta": "Hello",
            "logprobs": [],
        },
        {"type": "response.completed", "sequence_number": 2, "response": RESPONSE | {"status": "completed"}},
    ],
    named=True,
)
ANSWERS = {
    Dialect.OPENAI_CHAT: ("/v1/chat/completions", CHAT),
    Dialect.OPENAI_RESPONSES: ("/v1/responses", RESPONSES),
    Dialect.ANTHROPIC_MESSAGES: ("/v1/messages", MESSAGES),
}
DIALECTS = pytest.mark.parametrize("dialect", list(Dialect))


async def asked(chosen: Choice) -> tuple[str, httpx2.Request]:
    """Ask a model over a recorded wire; give its answer and the one request that it took."""
    dialect = chosen.provider.api.dialect
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, text=ANSWERS[dialect][1], headers={"content-type": "text/event-stream"})

    client = httpx2.AsyncClient(
        transport=httpx2.MockTransport(answer),
        auth=AsyncAccountAuth(chosen, Source()),
        headers={"user-agent": "doorkey/1"},
    )
    async with client, Agent(build(chosen, "small", client)).run_stream("Hi") as result:
        text = await result.get_output()
    (request,) = seen
    return text, request


@DIALECTS
async def test_each_dialect_is_spoken_at_the_accounts_address(dialect: Dialect):
    text, request = await asked(choice(dialect))

    assert text == "Hello"
    assert (request.url.host, request.url.path) == ("api.example", ANSWERS[dialect][0])
    assert json.loads(request.content)["model"] == "small"


@DIALECTS
@pytest.mark.parametrize("kind", [Kind.AUTHORIZATION_CODE, Kind.API_KEY, Kind.NONE])
async def test_the_placeholder_never_reaches_the_wire(dialect: Dialect, kind: Kind):
    _, request = await asked(choice(dialect, kind))

    sent = [value for name, value in request.headers.multi_items() if CREDENTIAL in value]
    assert PLACEHOLDER not in repr(request.headers.multi_items()) + request.content.decode()
    assert len(sent) == (0 if kind is Kind.NONE else 1)


@DIALECTS
async def test_we_say_who_we_are(dialect: Dialect):
    _, request = await asked(choice(dialect))

    assert request.headers.get_list("user-agent") == ["doorkey/1"]


@DIALECTS
@pytest.mark.parametrize("provider", ["openai", "anthropic", "acme"])
async def test_nothing_is_taken_from_the_sdks_own_variables(
    dialect: Dialect, provider: str, monkeypatch: pytest.MonkeyPatch
):
    for name in ("OPENAI", "ANTHROPIC"):
        for what in ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "AUTH_TOKEN", "WEBHOOK_SECRET"):
            monkeypatch.setenv(f"{name}_{what}", "canary-environment")
        monkeypatch.setenv(f"{name}_BASE_URL", UNSET)
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", "x-extra: canary-environment\nAuthorization: canary-environment")

    _, request = await asked(choice(dialect, provider=provider))

    assert request.url.host == "api.example"
    assert "canary-environment" not in repr(request.headers.multi_items()) + request.content.decode()
    assert not {"openai-organization", "openai-project"} & set(request.headers)


async def test_the_responses_route_is_asked_to_store_nothing():
    _, request = await asked(choice(Dialect.OPENAI_RESPONSES))

    assert json.loads(request.content)["store"] is False


@DIALECTS
async def test_a_failing_call_is_not_tried_again(dialect: Dialect):
    calls = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        calls.append(request)
        return httpx2.Response(503, json={"error": {"message": "busy"}})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(refuse)) as client:
        with pytest.raises(Exception, match="503"):
            await Agent(build(choice(dialect), "small", client)).run("Hi")

    assert len(calls) == 1
