"""A vault that is signed in to a practice provider, for the other scripts."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2

from doorkey.bootstrap import open_house
from doorkey.domain.account import Held
from doorkey.sandbox import Sandbox, server

ROOT = Path(__file__).resolve().parents[1]
CONFIG = """
[providers.sandbox.api]
base_url = "{base}/v1"
[providers.sandbox.methods.oauth]
issuer = "{base}"
authorize_url = "{base}/authorize"
token_url = "{base}/token"
revoke_url = "{base}/revoke"
jwks_url = "{base}/jwks.json"
"""


@contextmanager
def signed_in_home(home: Path) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Serve a practice provider, sign in to it over HTTP, and give both it and the environment of that vault."""
    running = server.start()
    environ = os.environ | {"DOORKEY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    try:
        (home / "config.toml").write_text(CONFIG.format(base=running.url))
        with open_house(environ=environ) as house:
            sign_in = house.services.sign_ins.start("sandbox", "oauth")
            approve(sign_in.url)
            sign_in.over.wait(20)
            assert sign_in.account is not None, sign_in.failure
        yield running.sandbox, environ
    finally:
        running.stop()


def approve(url: str) -> None:
    """Click through the practice sign-in as its first person."""
    with httpx2.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(url)
        origin = str(page.url.copy_with(path="/", query=None)).rstrip("/")
        headers = {"origin": origin}
        person = re.search(r'name="person"[^>]*value="([^"]+)"', page.text)
        assert person is not None
        consent = browser.post(page.url, data={"person": person[1]}, headers=headers)
        browser.post(consent.url, data={"decision": "allow"}, headers=headers)


def expire(environ: dict[str, str]) -> None:
    """Let the vault's access tokens be over, as if a night had passed."""
    night = timedelta(hours=12)
    with open_house(environ=environ) as house:
        for account in house.vault.accounts.all():
            held = house.vault.accounts.load(account.id)
            assert held.tokens.expires_at is not None
            ended = held.tokens.issued_at - night
            tokens = replace(held.tokens, issued_at=ended - timedelta(hours=1), expires_at=ended)
            older = replace(account, generation=account.generation + 1, expires_at=ended)
            assert house.vault.accounts.save(Held(older, tokens), read=account.generation)
