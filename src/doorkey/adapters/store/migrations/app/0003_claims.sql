-- Who makes which answer, as in the vault's leases, and which answers somebody wants to end. Here, because a chat must
-- not change the vault.

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

CREATE TABLE stops (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
