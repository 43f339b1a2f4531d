"""Renew 2,000 expired accounts by 4 programs over one vault, each of which wants them all: each is renewed once.

The accounts hold refresh tokens of one practice grant, sealed for real. The practice provider ends the grant when one
of them comes twice, so a single double renewal would fail most of the others.
"""

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from practice import signed_in_home

from doorkey.bootstrap import open_house
from doorkey.domain.account import Account, Held
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Freshness
from doorkey.sandbox import Sandbox
from doorkey.service.resolve import Wish

ACCOUNTS = 2_000
PROGRAMS = 4
THREADS = 8
NIGHT = timedelta(hours=12)

Environ = dict[str, str]


def main() -> None:
    """Let the programs loose at once, then compare what the server counted with what the vault holds."""
    with TemporaryDirectory() as folder, signed_in_home(Path(folder)) as (sandbox, environ):
        fill(environ, sandbox)
        began = time.perf_counter()
        served = sum(run_programs(environ))
        took = time.perf_counter() - began
        renewed = sandbox.log.count(action="refresh_token", outcome="ok")
        asked = sandbox.log.count(action="refresh_token")
        fresh = count_fresh(environ, sandbox)
    print(
        f"{PROGRAMS} programs asked for {PROGRAMS * ACCOUNTS:,} tokens and got {served:,}; "
        f"the server renewed {renewed:,} times for {ACCOUNTS:,} accounts and refused {asked - renewed}; "
        f"the vault holds {fresh:,} pairs that work ({took:.0f} s, {renewed / took:.0f} renewals a second)"
    )


def fill(environ: Environ, sandbox: Sandbox) -> None:
    """Keep the accounts, their access over since a night, each with a refresh token that the provider knows."""
    ledger = sandbox.app.state.world.ledger  # type: ignore[attr-defined]  # It is Starlette's.
    with open_house(environ=environ) as house:
        accounts = house.vault.accounts
        (first,) = accounts.all()
        held = accounts.load(first.id)
        assert held.tokens.refresh is not None
        assert held.tokens.expires_at is not None
        grant = ledger.refresh(held.tokens.refresh.reveal()).grant_id
        for number in range(ACCOUNTS):
            refresh = f"practice-refresh-{number}"
            with ledger.transaction():
                ledger.add_refresh(refresh, grant, time.time() + NIGHT.total_seconds())
            assert accounts.save(expired(held, number, Secret(refresh)), read=None)
        accounts.forget(first.id)


def expired(held: Held, number: int, refresh: Secret) -> Held:
    """Make an account like this one, whose access ended a night ago."""
    account, issued = held.account, held.tokens.issued_at - NIGHT
    ended = issued + timedelta(hours=1)
    who = replace(account.identity, subject=f"subject-{number}", email=f"person-{number}@example.com")
    tokens = replace(held.tokens, refresh=refresh, issued_at=issued, expires_at=ended)
    return Held(replace(account, id=f"acc_{number}", identity=who, expires_at=ended), tokens)


def run_programs(environ: Environ) -> list[int]:
    """Run the programs side by side, and return how many tokens each got."""
    command = [sys.executable, __file__, "program"]
    with ExitStack() as ends:
        running = [
            ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ))
            for _ in range(PROGRAMS)
        ]
        return [int(program.communicate()[0]) for program in running]


def program(environ: Environ) -> None:
    """Be one of the programs: get a token of every account, in an order of its own, and print how many came."""
    with open_house(environ=environ) as house, ThreadPoolExecutor(THREADS) as pool:
        services = house.services

        def get(account: Account) -> Secret:
            return services.sources.of(services.resolver.choose(Wish(provider="sandbox", account=account.id))).get()

        accounts = list(house.vault.accounts.all())
        random.shuffle(accounts)
        print(len(list(pool.map(get, accounts))))


def count_fresh(environ: Environ, sandbox: Sandbox) -> int:
    """Count the accounts whose token is fresh and whose refresh token the provider would take."""
    ledger = sandbox.app.state.world.ledger  # type: ignore[attr-defined]  # It is Starlette's.
    with open_house(environ=environ) as house:
        accounts = house.vault.accounts
        kept = [accounts.load(account.id).tokens for account in accounts.all()]
        now = house.clock.now()
    return sum(
        tokens.freshness(now) is Freshness.FRESH
        and tokens.refresh is not None
        and not ledger.refresh(tokens.refresh.reveal()).spent
        for tokens in kept
    )


if __name__ == "__main__":
    program(dict(os.environ)) if sys.argv[1:] == ["program"] else main()
