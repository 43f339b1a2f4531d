-- The app: chats, what ran in them and what was allowed, in clear text. Times are ISO 8601 in UTC.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    model TEXT,
    account TEXT,
    folder TEXT,
    served_by TEXT
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    started_at TEXT NOT NULL,
    state TEXT NOT NULL,
    ended_at TEXT,
    served TEXT,
    error TEXT,
    message TEXT,
    hint TEXT,
    tokens_in INTEGER,
    tokens_out INTEGER
) STRICT;

-- Apart from the runs, because they are long and seldom read.
CREATE TABLE histories (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    messages BLOB NOT NULL
) STRICT;

CREATE INDEX runs_of_conversation ON runs (conversation, started_at);

CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    call_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    scope TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    state TEXT NOT NULL,
    decision TEXT,
    reason TEXT,
    note TEXT,
    result TEXT,
    UNIQUE (run, call_id)
) STRICT;

CREATE INDEX approvals_of_conversation ON approvals (conversation);

CREATE TABLE allowances (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    PRIMARY KEY (conversation, scope)
) STRICT, WITHOUT ROWID;

-- Only hashes: a copy of this file opens no page.
CREATE TABLE page_sessions (
    id TEXT PRIMARY KEY,
    cookie TEXT NOT NULL,
    key TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
