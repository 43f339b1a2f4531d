"""The accounts of the vault: who they are in clear, so that they list without the key; their tokens sealed."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from doorkey.adapters.cipher.vault_cipher import VaultCipher
from doorkey.adapters.store.columns import as_json, bindable, moment_or_none, sensible, stamp, stamp_or_none
from doorkey.adapters.store.database import Database, Row, Value
from doorkey.domain.account import RENEWING, Account, Held, Identity, Origins, Proof, Sent, Standing, State
from doorkey.domain.provider import Payer
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import KeyUnreadable, StorageFull, UnknownName

# Named one by one: the columns that the database makes of them are only looked for.
_COLUMNS = "id, provider, method, name, identity, origins, payer, standing, renews, created_at, expires_at, generation"
BOUND = ("id", "generation", "provider", "method", "origins")
"""The columns that an account's tokens are bound to."""

_OLDEST_FIRST = "ORDER BY created_at, id"
_INDEXED = 400
"""How many characters of a text are in its index."""

_OF_ONE_WAY = "WHERE provider = ? AND method = ?"
_INSERT = """
INSERT INTO accounts (id, provider, method, name, identity, origins, payer, standing, renews, created_at, expires_at,
    generation, tokens)
VALUES (:id, :provider, :method, :name, :identity, :origins, :payer, :standing, :renews, :created_at, :expires_at,
    :generation, :tokens)
ON CONFLICT DO NOTHING RETURNING id
"""
_UPDATE = """
UPDATE accounts SET provider = :provider, method = :method, name = :name, identity = :identity, origins = :origins,
    payer = :payer, standing = :standing, renews = :renews, created_at = :created_at, expires_at = :expires_at,
    generation = :generation, tokens = :tokens
WHERE id = :id AND generation = :read AND NOT EXISTS (
    SELECT 1 FROM accounts AS other WHERE other.provider = :provider AND other.method = :method
    AND other.identity_key = :identity_key AND other.twin = accounts.twin AND other.id <> accounts.id
) RETURNING id
"""


class SqlAccounts:
    """Fill `ports.Accounts`."""

    def __init__(self, database: Database, cipher: VaultCipher) -> None:
        self._database = database
        self._cipher = cipher

    def all(self) -> Sequence[Account]:
        return self._those(_OLDEST_FIRST)

    def of(self, provider: str) -> Sequence[Account]:
        return self._those(f"WHERE provider = ? {_OLDEST_FIRST}", provider)

    def first(self, provider: str) -> Account | None:
        found = self._those("WHERE provider = ? ORDER BY is_key, created_at, id LIMIT 1", provider)
        return next(iter(found), None)

    def one(self, account: str) -> Account | None:
        return next(iter(self._those("WHERE id = ?", account)), None)

    def named(self, text: str) -> Sequence[Account]:
        provider, _, label = text.partition("/")
        fits = f"{_begins('name')} OR {_begins('email')} OR ({_begins('label')} AND provider = ?)"
        found = self._those(f"WHERE {fits} {_OLDEST_FIRST}", *map(_beginning, (text, text, label)), provider)
        return [account for account in found if text in account.names]

    def due(self, by: datetime) -> Sequence[Account]:
        states = ", ".join("?" for _ in RENEWING)
        due = f"state IN ({states}) AND expires_at <= ? AND renews"
        return self._those(f"WHERE {due} ORDER BY expires_at, id", *sorted(RENEWING), stamp(by))

    def find(self, account: Account) -> Account | None:
        way = (account.provider, account.method)
        key = _key_to_find(account)
        if key is not None:
            found = self._those(f"{_OF_ONE_WAY} AND identity_key = ? {_OLDEST_FIRST} LIMIT 1", *way, key)
        elif account.name is not None:
            begins = f"{_begins('name')} {_OLDEST_FIRST}"
            found = self._those(f"{_OF_ONE_WAY} AND {begins}", *way, _beginning(account.name))
        else:
            found = self._those(
                f"{_OF_ONE_WAY} AND name IS NULL AND identity_key IS NULL {_OLDEST_FIRST} LIMIT 1", *way
            )
        return same_account(account, found)

    def load(self, account: str) -> Held:
        row = self._row(account)
        try:
            return self._open(row)
        except KeyUnreadable:
            # A rotation may have sealed it again, and ended its former key, since it was read.
            newer = self._row(account)
            if newer["tokens"] == row["tokens"]:
                raise
            return self._open(newer)

    def save(self, held: Held, *, read: int | None) -> bool:
        try:
            return self._put(held, read)
        except StorageFull:
            # What was held free for this is used at once, before somebody else takes it.
            if not self._database.give_room():
                raise
            return self._put(held, read)

    def save_standing(self, account: Account) -> bool:
        if account.standing.sent:
            # A refresh token is about to be spent: the pair that comes back has to find room.
            self._database.keep_room()
        sql = "UPDATE accounts SET standing = ? WHERE id = ? AND generation = ? RETURNING id"
        return bool(self._database.rows(sql, (as_json(account.standing), account.id, account.generation)))

    def rename(self, account: str, name: str) -> None:
        self._database.rows("UPDATE accounts SET name = ? WHERE id = ?", (name, account))

    def forget(self, account: str) -> None:
        self._database.rows("DELETE FROM accounts WHERE id = ?", (account,))

    def version(self) -> int:
        return self._database.version()

    def _put(self, held: Held, read: int | None) -> bool:
        account = held.account
        with self._cipher.sealing() as seal:
            row = _row(account)
            row |= {"tokens": seal(pack_tokens(held.tokens), places(row)[0])}
            row |= {"read": read, "identity_key": _key_to_find(account)}
            return bool(self._database.rows(_INSERT if read is None else _UPDATE, row))

    def _those(self, where: str, *values: str) -> Sequence[Account]:
        sql = f"SELECT {_COLUMNS} FROM accounts {where}"  # noqa: S608 - Our own words.
        rows = self._database.rows(sql, [bindable(value) for value in values])
        with sensible():
            return [_account(row) for row in rows]

    def _row(self, account: str) -> Row:
        sql = f"SELECT {_COLUMNS}, tokens FROM accounts WHERE id = ?"  # noqa: S608 - Our own words.
        for row in self._database.rows(sql, (account,)):
            return row
        raise UnknownName("There is no such account.")

    def _open(self, row: Row) -> Held:
        with sensible():
            found = _account(row)
        return Held(found, unpack_tokens(self._cipher.open(row["tokens"], *places(row))))


def same_account(wanted: Account, accounts: Iterable[Account]) -> Account | None:
    """Find whom a new sign-in continues: the same identity, or where none is told, the same name or the unnamed one."""

    def same(known: Account) -> bool:
        if (known.provider, known.method) != (wanted.provider, wanted.method):
            return False
        if wanted.identity.subject is not None:
            return known.identity.key == wanted.identity.key
        return known.identity.subject is None and known.name == wanted.name

    return next(filter(same, accounts), None)


def _begins(column: str) -> str:
    """Write the condition that the indexes of texts serve; what it finds still has to be compared as a whole."""
    return f"substr({column}, 1, {_INDEXED}) = ?"


def _beginning(text: str) -> str:
    return text[:_INDEXED]


def oldest_first(accounts: Iterable[Account]) -> Sequence[Account]:
    """Sort accounts by their age."""
    return sorted(accounts, key=lambda account: (account.created_at, account.id))


def next_to_end(accounts: Iterable[Account]) -> Sequence[Account]:
    """Sort accounts by the end of their access."""
    return sorted(accounts, key=lambda account: (stamp_or_none(account.expires_at) or "", account.id))


def _key_to_find(account: Account) -> str | None:
    """Write the key of an account's identity as the column of that name has it."""
    if account.identity.subject is None:
        return None
    return bindable("\x1f".join("" if part is None else f"={part}" for part in account.identity.key))


def places(row: Row) -> tuple[str, str]:
    """Name the place that an account's tokens are sealed for, and what it was called before.

    It holds where they may be sent: whoever can write the database must not send them to another provider. No former
    name can be made to read as one of these, whatever is written into the other columns.
    """
    with sensible():
        origins = Origins(**json.loads(row["origins"]))
    bound = [*(row[column] for column in BOUND[:-1]), origins.api, origins.token, origins.revoke]
    return f"account tokens|{json.dumps(bound)}", f"accounts|{row['id']}|tokens|{row['generation']}"


def _row(account: Account) -> dict[str, Value]:
    return {
        "id": account.id,
        "provider": account.provider,
        "method": account.method,
        "name": account.name,
        "identity": as_json(account.identity),
        "origins": as_json(account.origins),
        "payer": account.payer,
        "standing": as_json(account.standing),
        "renews": account.renews,
        "created_at": stamp(account.created_at),
        "expires_at": stamp_or_none(account.expires_at),
        "generation": account.generation,
    }


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        provider=row["provider"],
        method=row["method"],
        name=row["name"],
        identity=Identity(**json.loads(row["identity"])),
        origins=Origins(**json.loads(row["origins"])),
        payer=Payer(row["payer"]),
        standing=_standing(row["standing"]),
        renews=bool(row["renews"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=moment_or_none(row["expires_at"]),
        generation=row["generation"],
    )


def _standing(text: str) -> Standing:
    fields = json.loads(text)
    proof, sent = fields["proof"], fields.get("sent")
    return Standing(
        state=State(fields["state"]),
        reason=fields["reason"],
        until=moment_or_none(fields["until"]),
        proof=proof and Proof(datetime.fromisoformat(proof["at"]), proof["call"]),
        retry_at=moment_or_none(fields["retry_at"]),
        failures=fields["failures"],
        setup=fields.get("setup"),
        sent=sent and Sent(datetime.fromisoformat(sent["at"]), sent["refresh"]),
    )


def pack_tokens(tokens: Tokens) -> bytes:
    """Write tokens for sealing."""
    fields = {
        "access": tokens.access.reveal(),
        "refresh": _reveal_or_none(tokens.refresh),
        "id_token": _reveal_or_none(tokens.id_token),
        "scope": tokens.scope,
        "issued_at": stamp(tokens.issued_at),
        "expires_at": stamp_or_none(tokens.expires_at),
        "earliest_refresh_at": stamp_or_none(tokens.earliest_refresh_at),
    }
    return json.dumps(fields).encode()


def unpack_tokens(plain: bytes) -> Tokens:
    """Read what `pack_tokens` wrote."""
    fields = json.loads(plain)
    return Tokens(
        access=Secret(fields["access"]),
        refresh=_secret_or_none(fields["refresh"]),
        id_token=_secret_or_none(fields["id_token"]),
        scope=fields["scope"],
        issued_at=datetime.fromisoformat(fields["issued_at"]),
        expires_at=moment_or_none(fields["expires_at"]),
        earliest_refresh_at=moment_or_none(fields["earliest_refresh_at"]),
    )


def _secret_or_none(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _reveal_or_none(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()
