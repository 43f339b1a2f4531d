import pytest

from doorkey.adapters.loopback.listener import LoopbackListener
from doorkey.ports import Outcome

LONG = "This reply belongs to a sign-in that somebody began on another computer"


@pytest.fixture
def page(chrome):
    page = chrome.new_page(viewport={"width": 390, "height": 700})
    yield page
    page.close()


@pytest.mark.browser
def test_the_code_leaves_the_address_bar(page):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    outcome = Outcome(ok=True, title="Signed in as Ann", text="You can close this tab.", finished=True)
    listener = LoopbackListener.open("http://127.0.0.1:0/callback", (), lambda _: outcome)

    page.goto(f"{listener.redirect}?code=canary&state=right")
    listener.close()

    assert page.url == listener.redirect
    assert page.inner_text("h1") == "Signed in as Ann"
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []


@pytest.mark.browser
def test_a_long_text_fits_on_a_small_screen(page):
    outcome = Outcome(ok=False, title=LONG, text="x" * 400, finished=False)
    listener = LoopbackListener.open("http://127.0.0.1:0/callback", (), lambda _: outcome)

    page.goto(listener.redirect)
    width = page.evaluate("document.documentElement.scrollWidth")
    listener.close()

    assert width == 390
