-- The last reading of each account's windows: how much is used, until when, and when that was read.

CREATE TABLE windows (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    used_percent REAL,
    resets_at TEXT,
    source TEXT NOT NULL,
    as_of TEXT NOT NULL,
    is_rate INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
