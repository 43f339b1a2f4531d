"""What other processes do to the keys of a vault at the same time; started anew by `test_processes`."""

import os
from contextlib import suppress
from dataclasses import replace

from doorkey.domain.secret import Secret
from doorkey.errors import StoreBusy
from doorkey.testing.values import held, some_tokens
from tests.adapters.cipher.rings import opened

BUSY = 4


def rotate(folder, rounds, start):
    """Seal everything again, over and over."""
    with opened(folder) as vault:
        start.wait()
        for _ in range(rounds):
            with suppress(StoreBusy):  # Somebody moved the key meanwhile.
                for _ in vault.ring.rotate():
                    pass


def move(folder, start):
    """Replace the key in the file, or end with BUSY."""
    with opened(folder) as vault:
        start.wait()
        try:
            for _ in vault.ring.move("file"):
                pass
        except StoreBusy:
            os._exit(BUSY)


def renew(folder, account, rounds, start):
    """Save new tokens of an account, over and over, and read each back."""
    with opened(folder) as vault:
        vault.accounts.save(held(some_tokens(account), id=account), read=None)
        start.wait()
        for generation in range(rounds):
            mine = vault.accounts.load(account)
            tokens = replace(mine.tokens, access=Secret(f"{account}-{generation + 1}"))
            newer = replace(mine, account=replace(mine.account, generation=generation + 1), tokens=tokens)
            assert vault.accounts.save(newer, read=generation)


def die_rotating(folder, start):
    """Be killed for good, without a farewell, between two steps."""
    with opened(folder) as vault:
        start.wait()
        next(vault.ring.rotate())
        os._exit(9)
