import re

from doorkey.adapters.loopback.page import render
from doorkey.ports import Outcome

EVIL = Outcome(ok=False, title="<script>alert(1)</script>", text="\"'&<img src=x onerror=alert(1)>", finished=False)
GOOD = Outcome(ok=True, title="You are signed in", text="As ann@example.com.", finished=True)


def test_values_are_escaped():
    page, _ = render(EVIL)

    assert b"<script>alert" not in page
    assert b"<img" not in page
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_only_the_pages_own_style_and_script_run():
    page, headers = render(GOOD)
    nonce = re.search(r"script-src 'nonce-([^']+)'", headers["Content-Security-Policy"])[1]

    blocks = re.findall(r'<(?:script|style) nonce="([^"]+)">', page.decode())

    assert blocks == [nonce, nonce]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_every_page_has_a_nonce_of_its_own():
    assert render(GOOD)[1] != render(GOOD)[1]


def test_the_page_loads_nothing_from_anywhere():
    page, _ = render(GOOD)

    assert not re.search(rb"https?:|\bsrc=|\bhref=|url\(", page)
