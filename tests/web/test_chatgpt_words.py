"""The words that OpenAI asks of whoever offers its sign-in (its UI guidelines, as read in October 2026)."""

from doorkey.domain.account import Origins
from doorkey.domain.provider import Payer
from doorkey.providers.openai import USAGE_PAGE
from doorkey.testing.values import an_identity

HTMX = {"hx-request": "true"}
ORIGINS = Origins(
    api="https://api.openai.com:443", token="https://auth.openai.com:443", revoke="https://auth.openai.com:443"
)


async def test_the_button_says_continue_with_chatgpt_under_the_notice(room, browser):
    answer = await browser.post("/connect/openai", json={"method": "chatgpt"}, headers=HTMX)

    assert "Uses your ChatGPT plan in this app only." in answer.text
    assert "https://openai.com/policies/sign-in-with-chatgpt-terms" in answer.text
    assert answer.text.index("in this app only") < answer.text.index("Continue with ChatGPT <svg")


async def test_beside_the_model_stands_whose_plan_is_used_and_where_it_is_managed(room, browser):
    room.keep(provider="openai", method="chatgpt", origins=ORIGINS, payer=Payer.PLAN, identity=an_identity(plan="plus"))

    bar = await browser.post("/bar", json={"model": "openai:gpt-6-sol"}, headers=HTMX)

    assert "Using ChatGPT plan" in bar.text
    assert f'<a href="{USAGE_PAGE}"' in bar.text
    assert ">Manage usage</a>" in bar.text
