"""A vault that is signed in to a practice provider, for the other scripts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from doorkey.bootstrap import open_house
from doorkey.domain.account import Held
from doorkey.sandbox import Sandbox, server
from doorkey.testing.practice import SANDBOX, approve, bring_back

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def signed_in_home(home: Path, **besides: str) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Serve a practice provider, sign in to it over HTTP, and give both it and the environment of that vault.

    `besides` are variables that the environment has too.
    """
    running = server.start()
    environ = os.environ | {"DOORKEY_HOME": str(home), "PYTHONPATH": str(ROOT)} | besides
    try:
        (home / "config.toml").write_text(SANDBOX.format(url=running.url))
        with open_house(environ=environ) as house:
            sign_in = house.services.sign_ins.start("sandbox", "oauth")
            bring_back(approve(sign_in.url))
            sign_in.over.wait(20)
            assert sign_in.account is not None, sign_in.failure
        yield running.sandbox, environ
    finally:
        running.stop()


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
