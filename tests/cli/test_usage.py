"""What `doorkey usage` sums up."""

import json
from datetime import timedelta

import pytest

from doorkey.domain.conversation import RunState, Served
from doorkey.domain.provider import Payer
from doorkey.testing.values import a_conversation, a_run
from tests.cli.acme import Browser
from tests.cli.terminal import Terminal

PLAN = Served(provider="acme", model="large", method="oauth", payer=Payer.PLAN, account="acc_1", label="Ada")
KEY = Served(provider="acme", model="small", method="api-key", payer=Payer.METERED, label="ACME_API_KEY")


def answered(house, served, *, ago=timedelta(0), tokens=(1000, 20)):
    """Keep an answer of a chat of its own."""
    chat = a_conversation()
    house.stores.conversations.save(chat)
    started = house.clock.now() - ago
    tokens_in, tokens_out = tokens
    house.stores.runs.save(
        a_run(
            chat.id,
            served=served,
            started_at=started,
            state=RunState.DONE,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
        )
    )
    return chat


def used(house, *arguments):
    terminal = Terminal(house)
    assert terminal.run("usage", "--json", *arguments) == 0
    return json.loads(terminal.out)


def test_a_chat_is_counted_with_its_account_and_payer(house):
    house.browser = Browser(approves=True)
    Terminal(house).run("login", "acme", "--name", "work")
    Terminal(house).run("chat", "--model", "acme:practice-small", "hello")

    told = used(house)

    (entry,) = told["usage"]
    account = house.services.book.find("work")
    assert told["since"] is None
    assert (entry["account"], entry["label"], entry["model"]) == (account.id, "work", "practice-small")
    assert (entry["payer"], entry["answers"]) == ("metered", 1)
    assert entry["tokens_in"] > 0
    assert entry["tokens_out"] > 0


def test_only_the_last_days_are_counted(house):
    answered(house, PLAN, ago=timedelta(days=8))
    answered(house, KEY, ago=timedelta(days=6))

    assert [entry["label"] for entry in used(house, "--days", "7")["usage"]] == ["ACME_API_KEY"]


def test_a_deleted_chat_is_counted_no_more(house):
    chat = answered(house, PLAN)
    house.stores.conversations.delete(chat.id)

    assert used(house)["usage"] == []


def test_people_read_what_each_payer_pays_and_no_money(house):
    answered(house, PLAN)
    answered(house, PLAN)
    answered(house, KEY, tokens=(1, 2))
    terminal = Terminal(house)

    terminal.run("usage")

    assert terminal.out.splitlines() == [
        "Ada · acme:large",
        "    plan pays · 2 answers · tokens: 2,000 in, 40 out",
        "ACME_API_KEY · acme:small",
        "    billed by use · 1 answer · tokens: 1 in, 2 out",
        "Together",
        "    plan pays · 2 answers · tokens: 2,000 in, 40 out",
        "    billed by use · 1 answer · tokens: 1 in, 2 out",
    ]


@pytest.mark.parametrize("arguments", [[], ["--days", "1"]])
def test_no_answers_say_so(house, arguments):
    terminal = Terminal(house)

    terminal.run("usage", *arguments)

    assert (terminal.out, terminal.err) == ("", "No answers yet. `doorkey chat` asks a model.\n")
