"""The library as another program uses it: real SDKs over a vault, and errors that all of them let through."""

from datetime import timedelta
from textwrap import dedent

import pytest

from tests.journeys.configs import config
from tests.journeys.person import sign_in

pytestmark = pytest.mark.slow

ASK = """
import asyncio, os, sys
import doorkey

MODEL = "practice-small"
QUESTION = [{"role": "user", "content": "who pays?"}]
"""


def use(program, script, **environ):
    """Run another program; what it prints is what its author sees."""
    return program.python(ASK + dedent(script), **environ)


@pytest.fixture
def acme(program):
    sign_in(program, "acme", "--name", "work")
    return program


@pytest.fixture
def claude(program, practice):
    program.configure(config(practice.url, claude=True))
    program.agree("method:anthropic:claude")
    sign_in(program, "anthropic", "--method", "claude")
    return program


def test_a_vault_in_a_with_block(acme):
    ended = use(
        acme,
        """
        with doorkey.open() as keys:
            token = keys.token_source("acme").get()
            (account,) = keys.accounts()
            print(token, account.name, account.state, account.payer, account.default)
            print(token.reveal() == keys.environ_for("acme")["ACME_API_KEY"])
        """,
    )

    assert ended.out.splitlines() == ["******** work ready metered True", "True"], ended


def test_the_same_awaited(acme):
    ended = use(
        acme,
        """
        async def main():
            async with doorkey.open_async() as keys:
                source = await keys.token_source("acme")
                tokens = await asyncio.gather(*(source.get() for _ in range(20)))
                (account,) = await keys.accounts()
                print(len(set(tokens)), account.identity)

        asyncio.run(main())
        """,
    )

    assert ended.out == "1 ada@practice.example\n", ended


def test_openai_clients_speak_for_the_account(acme, wire):
    ended = use(
        acme,
        """
        sync = doorkey.sdk.openai.client("acme")
        print(sync.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message.content)
        client = doorkey.sdk.openai.async_client("acme", account="work")
        asked = client.chat.completions.create(model=MODEL, messages=QUESTION)
        print(asyncio.run(asked).choices[0].message.content)
        """,
        OPENAI_API_KEY="sk-of-somebody-else",
        OPENAI_BASE_URL="http://127.0.0.1:9",
    )

    assert ended.out.count("served to **Ada Lovelace**") == 2, ended
    calls = wire.to("/v1/chat/completions")
    assert all(call.headers["authorization"].startswith("Bearer sandbox-at-") for call in calls)


def test_an_openai_client_of_the_authors_own_takes_our_http_client(acme, practice):
    ended = use(
        acme,
        f"""
        import openai
        http = doorkey.sdk.openai.http_client("acme")
        client = openai.AsyncOpenAI(http_client=http, api_key="unused", base_url="{practice.url}/v1")
        print(asyncio.run(client.chat.completions.create(model=MODEL, messages=QUESTION)).choices[0].message.content)
        astray = openai.AsyncOpenAI(http_client=http, api_key="unused", base_url="http://127.0.0.1:9/v1")
        try:
            asyncio.run(astray.chat.completions.create(model=MODEL, messages=QUESTION))
        except doorkey.DoorkeyError as error:
            print(error.code)
        """,
    )

    assert "served to **Ada Lovelace**" in ended.out, ended
    assert ended.out.splitlines()[-1] == "origin_changed"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(acme, practice, kind):
    acme.grow_old(before_its_end=timedelta(hours=1))
    practice.sandbox.faults.add("expired_token", endpoint="model")
    call = {
        "sync": "doorkey.sdk.openai.client('acme').chat.completions.create(model=MODEL, messages=QUESTION)",
        "async": "asyncio.run(doorkey.sdk.openai.async_client('acme')"
        ".chat.completions.create(model=MODEL, messages=QUESTION))",
    }[kind]

    ended = use(acme, f"print({call}.choices[0].message.content)")

    assert "served to **Ada Lovelace**" in ended.out, ended
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1
    assert practice.sandbox.log.count(endpoint="/v1/chat/completions") == 2


def test_an_anthropic_client_takes_our_credentials(claude, practice, wire):
    claude.grow_old(before_its_end=timedelta(hours=1))
    practice.sandbox.faults.add("expired_token", endpoint="model")

    ended = use(
        claude,
        f"""
        import anthropic
        given = doorkey.sdk.anthropic.credentials("anthropic")
        client = anthropic.Anthropic(credentials=given, base_url="{practice.url}")
        print(client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION).content[0].text)
        """,
        ANTHROPIC_API_KEY="",
    )

    assert "by a Claude sign-in" in ended.out, ended
    assert practice.sandbox.log.count(action="refresh_token", outcome="ok") == 1
    assert all("x-api-key" not in call.headers for call in wire.to("/v1/messages"))


def test_an_anthropic_client_speaks_with_a_key(program, practice, wire):
    key = practice.sandbox.make_key()
    program.run("login", "anthropic", "--method", "api-key", stdin=f"{key}\n")

    ended = use(
        program,
        """
        client = doorkey.sdk.anthropic.client("anthropic")
        print(client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION).content[0].text)
        client = doorkey.sdk.anthropic.async_client("anthropic")
        print(asyncio.run(client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION)).content[0].text)
        try:
            doorkey.sdk.anthropic.credentials("anthropic")
        except doorkey.DoorkeyError as error:
            print(error.code)
        """,
    )

    assert ended.out.count("by an API key") == 2, ended
    assert ended.out.splitlines()[-1] == "misconfigured"
    for call in wire.to("/v1/messages"):
        assert call.headers["x-api-key"] == key
        assert "authorization" not in call.headers


AGENT = """
from pydantic_ai import Agent
model = doorkey.sdk.pydantic_ai.model("{provider}:practice-small"{account})
print(Agent(model, instructions="Be brief.").run_sync("who pays?").output)
"""


def test_an_agent_runs_on_an_account(acme):
    ended = use(acme, AGENT.format(provider="acme", account=', account="work"'))

    assert "served to **Ada Lovelace**" in ended.out, ended


def test_an_agent_runs_on_an_anthropic_account(claude):
    ended = use(claude, AGENT.format(provider="anthropic", account=""))

    assert "by a Claude sign-in" in ended.out, ended


def test_an_agent_runs_on_a_route_that_only_streams(program, practice):
    program.configure(config(practice.url, outside=True))
    sign_in(program, "openai")
    program.agree("outside:openai:chatgpt")

    ended = use(program, AGENT.format(provider="openai", account=""))

    assert "Their Plus plan pays" in ended.out, ended


def test_fields_that_a_plan_does_not_take_are_left_out_or_refused(program, practice, wire):
    program.configure(config(practice.url, outside=True))
    sign_in(program, "openai")
    program.agree("outside:openai:chatgpt")

    ended = use(
        program,
        """
        client = doorkey.sdk.openai.client("openai")
        items = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "who pays?"}]
        tuned = dict(temperature=0.2, top_p=0.9, max_output_tokens=100, metadata={"a": "b"}, store=True)
        with client.responses.stream(model=MODEL, input=items, **tuned) as stream:
            print(*(event.delta for event in stream if event.type == "response.output_text.delta"), sep="")
        try:
            client.responses.create(model=MODEL, input="hello", stream=True, previous_response_id="resp_1")
        except doorkey.DoorkeyError as error:
            print(error.code, error)
        """,
    )

    (call,) = wire.to("/v1/responses")
    assert "Their Plus plan pays" in ended.out, ended
    assert ended.out.splitlines()[-1].startswith("misconfigured This account's route does not take previous_response_")
    assert set(call.json) == {"model", "input", "store", "stream"}
    assert call.json["store"] is False
    assert [item["role"] for item in call.json["input"]] == ["developer", "user"]


FAILING = """
import anthropic
from pydantic_ai import Agent

def token():
    with doorkey.open() as keys:
        keys.token_source("acme").get()

calls = {
    "openai": lambda: doorkey.sdk.openai.client("acme").chat.completions.create(model=MODEL, messages=QUESTION),
    "async openai": lambda: asyncio.run(
        doorkey.sdk.openai.async_client("acme").chat.completions.create(model=MODEL, messages=QUESTION)
    ),
    "anthropic": lambda: doorkey.sdk.anthropic.client("anthropic").messages.create(
        model=MODEL, max_tokens=9, messages=QUESTION
    ),
    "async anthropic": lambda: asyncio.run(
        doorkey.sdk.anthropic.async_client("anthropic").messages.create(model=MODEL, max_tokens=9, messages=QUESTION)
    ),
    "credentials": lambda: anthropic.Anthropic(
        credentials=doorkey.sdk.anthropic.credentials("anthropic")
    ).messages.create(model=MODEL, max_tokens=9, messages=QUESTION),
    "agent": lambda: Agent(doorkey.sdk.pydantic_ai.model("acme:practice-small")).run_sync("hello"),
    "anthropic agent": lambda: Agent(doorkey.sdk.pydantic_ai.model("anthropic:practice-small")).run_sync("hello"),
    "token source": token,
    "no account": lambda: doorkey.sdk.openai.client("openai"),
}
for name, call in calls.items():
    try:
        call()
    except doorkey.DoorkeyError as error:
        print(name, error.code, bool(error.hint), sep=": ")
"""


def test_every_sdk_lets_our_errors_through(acme, practice):
    acme.configure(config(practice.url, claude=True))
    acme.agree("method:anthropic:claude")
    sign_in(acme, "anthropic", "--method", "claude")
    acme.grow_old(before_its_end=timedelta(minutes=-1))
    practice.sandbox.faults.add("revoked_grant", endpoint="token", times=2)

    ended = use(acme, FAILING)

    told = [line.split(": ") for line in ended.out.splitlines()]
    assert [name for name, _, _ in told] == [
        "openai",
        "async openai",
        "anthropic",
        "async anthropic",
        "credentials",
        "agent",
        "anthropic agent",
        "token source",
        "no account",
    ], ended
    assert {(code, hint) for _, code, hint in told} == {("sign_in_needed", "True")}
    assert practice.sandbox.log.count(action="refresh_token") == 2


def test_variables_are_set_for_a_block_and_put_back(program, practice):
    key = practice.sandbox.make_key()
    program.run("login", "anthropic", "--method", "api-key", stdin=f"{key}\n")

    ended = use(
        program,
        """
        with doorkey.open() as keys:
            before = dict(os.environ)
            with keys.environ("anthropic"):
                print(os.environ["ANTHROPIC_API_KEY"])
                print({name for name in os.environ if os.environ[name] != before.get(name)})
                try:
                    with keys.environ("anthropic"):
                        print("never")
                except doorkey.DoorkeyError as error:
                    print(error.code)
            print(dict(os.environ) == before)
            try:
                with keys.environ("anthropic"):
                    raise KeyError
            except KeyError:
                print(dict(os.environ) == before)
        """,
        ANTHROPIC_API_KEY="what-was-there",
    )

    assert ended.out.splitlines() == [key, "{'ANTHROPIC_API_KEY'}", "misconfigured", "True", "True"], ended
