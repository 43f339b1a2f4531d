"""The page that a person sees in the browser when a reply has arrived."""

import base64
import os
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from doorkey.ports import Outcome


def render(outcome: Outcome) -> tuple[bytes, dict[str, str]]:
    """Return the page and the headers that fence it in; its one script takes the code out of the address bar."""
    nonce = base64.urlsafe_b64encode(os.urandom(16)).decode()
    page = _template().substitute(
        nonce=nonce,
        mood="good" if outcome.ok else "bad",
        title=escape(outcome.title),
        text=escape(outcome.text),
    )
    policy = f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
    return page.encode(), {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"default-src 'none'; {policy}; base-uri 'none'; frame-ancestors 'none'",
    }


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("page.html").read_text("utf-8"))
