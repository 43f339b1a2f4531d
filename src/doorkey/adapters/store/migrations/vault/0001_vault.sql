-- The vault: who is signed in, and every secret sealed. Times are ISO 8601 in UTC.

-- One row, made when the first secret is sealed; `master` recognises the master key without holding it.
CREATE TABLE header (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    vault TEXT NOT NULL,
    master BLOB NOT NULL,
    source TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- The newest seals; the older ones still open what they sealed, until a rotation is done.
CREATE TABLE data_keys (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    wrapped BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    name TEXT,
    identity TEXT NOT NULL,
    origins TEXT NOT NULL,
    payer TEXT NOT NULL,
    standing TEXT NOT NULL,
    renews INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    generation INTEGER NOT NULL,
    tokens BLOB NOT NULL
) STRICT;

-- No reference to accounts: a lease outlives the account until its holder gives it back.
-- `ends` counts seconds since this boot, suspend included; `taken_at` and `ends_at` serve readers of another boot.
CREATE TABLE leases (
    account TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    ends REAL NOT NULL,
    taken_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    boot TEXT NOT NULL,
    namespace INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    details TEXT NOT NULL,
    state BLOB NOT NULL,
    verifier BLOB NOT NULL,
    nonce BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
