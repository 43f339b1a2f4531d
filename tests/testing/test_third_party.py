"""A store as somebody else would write one, knowing the ports alone: the contract suites that we ship hold it too."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import count
from threading import Lock
from typing import Any

import pytest
from pydantic import TypeAdapter

from doorkey.domain.account import RENEWING, Account, Held
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import UnknownName
from doorkey.flows.steps import Lease
from doorkey.testing.contracts.accounts import AccountsContract
from doorkey.testing.contracts.leases import LeasesContract
from doorkey.testing.contracts.settings import ChoicesContract

SECRETS = ("access", "refresh", "id_token")
TIMES = ("issued_at", "expires_at", "earliest_refresh_at")


class Pantry:
    """A key-value store such as one can rent: texts under names, and a counter of changes."""

    def __init__(self):
        self.alone = Lock()
        self.changes = 0
        self._texts = {}

    def get(self, name):
        return self._texts.get(name)

    def names(self):
        return list(self._texts)

    def set(self, name, text):
        self._texts[name] = text
        self.changes += 1

    def remove(self, name):
        self._texts.pop(name, None)
        self.changes += 1

    def starting(self, prefix):
        return {name: text for name, text in self._texts.items() if name.startswith(prefix)}


class PantryAccounts:
    """Fill `ports.Accounts`."""

    def __init__(self, pantry):
        self._pantry = pantry

    def all(self):
        found = [self.load(name).account for name in self._pantry.names()]
        return sorted(found, key=lambda account: (account.created_at, account.id))

    def of(self, provider):
        return [account for account in self.all() if account.provider == provider]

    def first(self, provider):
        return min(self.of(provider), key=lambda account: account.precedence, default=None)

    def one(self, account):
        return next((known for known in self.all() if known.id == account), None)

    def named(self, text):
        return [account for account in self.all() if text in account.names]

    def due(self, by):
        renewing = [account for account in self.all() if account.renews and account.standing.state in RENEWING]
        return sorted((a for a in renewing if a.expires_at and a.expires_at <= by), key=lambda a: a.expires_at)

    def load(self, account):
        text = self._pantry.get(account)
        if text is None:
            raise UnknownName("There is no such account.")
        return _read(json.loads(text))

    def save(self, held, *, read):
        with self._pantry.alone:
            known = self.find(held.account) if held.account.identity.subject is not None else None
            if known and known.id != held.account.id:
                return False
            return self._put(held, stands=read)

    def save_standing(self, account):
        with self._pantry.alone:
            if self._pantry.get(account.id) is None:
                return False
            stands = self.load(account.id)
            changed = replace(stands.account, standing=account.standing)
            return self._put(Held(changed, stands.tokens), stands=account.generation)

    def rename(self, account, name):
        with self._pantry.alone:
            if self._pantry.get(account) is not None:
                kept = self.load(account)
                self._put(Held(replace(kept.account, name=name), kept.tokens), stands=kept.account.generation)

    def forget(self, account):
        self._pantry.remove(account)

    def find(self, account):
        return next((known for known in self.all() if _same(known, account)), None)

    def version(self):
        return self._pantry.changes

    def _put(self, held, *, stands):
        text = self._pantry.get(held.account.id)
        if (None if text is None else _read(json.loads(text)).account.generation) != stands:
            return False
        self._pantry.set(held.account.id, json.dumps(_written(held)))
        return True


class PantryLeases:
    """Fill `ports.Leases`; `now` tells the time of the store."""

    def __init__(self, pantry, now):
        self._pantry = pantry
        self._now = now
        self._owners = count(1)

    def take(self, account, span):
        with self._pantry.alone:
            _, ends = self._stands(account)
            if self._now().timestamp() < ends:
                return None
            lease = Lease(account, f"owner-{next(self._owners)}", overtaken=ends > 0)
            self._set(lease, span)
            return lease

    def owns(self, lease, span):
        owner, ends = self._stands(lease.account)
        return owner == lease.owner and (self._now() + span).timestamp() <= ends

    def extend(self, lease, span):
        with self._pantry.alone:
            ours = self._stands(lease.account)[0] == lease.owner
            if ours:
                self._set(lease, span)
            return ours

    def release(self, lease):
        with self._pantry.alone:
            if self._stands(lease.account)[0] == lease.owner:
                self._pantry.remove(lease.account)

    def _stands(self, account):
        return json.loads(self._pantry.get(account) or "[null, 0]")

    def _set(self, lease, span):
        self._pantry.set(lease.account, json.dumps([lease.owner, (self._now() + span).timestamp()]))


@cache
def _account():
    return TypeAdapter(Account)


def _written(held):
    secrets = {name: getattr(held.tokens, name) for name in SECRETS}
    times = {name: getattr(held.tokens, name) for name in TIMES}
    return {
        "account": _account().dump_python(held.account, mode="json"),
        "secrets": {name: secret and secret.reveal() for name, secret in secrets.items()},
        "times": {name: moment and moment.isoformat() for name, moment in times.items()},
        "scope": held.tokens.scope,
    }


def _read(kept):
    fields: dict[str, Any] = {name: text and Secret(text) for name, text in kept["secrets"].items()}
    fields |= {name: text and datetime.fromisoformat(text) for name, text in kept["times"].items()}
    return Held(_account().validate_python(kept["account"]), Tokens(**fields, scope=kept["scope"]))


def _same(known, wanted):
    if (known.provider, known.method) != (wanted.provider, wanted.method):
        return False
    if wanted.identity.subject is None:
        return known.identity.subject is None and known.name == wanted.name
    return known.identity.key == wanted.identity.key


class TestPantryAccounts(AccountsContract):
    @pytest.fixture
    def store(self):
        return PantryAccounts(Pantry())


class TestPantryLeases(LeasesContract):
    @pytest.fixture
    def store(self, machine):
        return PantryLeases(Pantry(), machine.now)


class TestPantrySettings(ChoicesContract):
    @pytest.fixture
    def store(self):
        return Pantry()
