-- The app: chats, what ran in them and what was allowed, in clear text. Times are ISO 8601 in UTC.

CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE conversations (
    id text PRIMARY KEY,
    title text NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    model text,
    account text,
    folder text,
    served_by text
);

CREATE TABLE runs (
    id text PRIMARY KEY,
    conversation text NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    prompt text NOT NULL,
    started_at text NOT NULL,
    state text NOT NULL,
    ended_at text,
    served text,
    error text,
    message text,
    hint text,
    tokens_in bigint,
    tokens_out bigint
);

CREATE INDEX runs_of_conversation ON runs (conversation, started_at);

-- Apart from the runs, because they are long and seldom read.
CREATE TABLE histories (
    run text PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    messages bytea NOT NULL
);

CREATE TABLE events (
    run text NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE approvals (
    id text PRIMARY KEY,
    run text NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    conversation text NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    call_id text NOT NULL,
    tool text NOT NULL,
    arguments text NOT NULL,
    fingerprint text NOT NULL,
    scope text NOT NULL,
    asked_at text NOT NULL,
    state text NOT NULL,
    decision text,
    reason text,
    note text,
    result text,
    UNIQUE (run, call_id)
);

CREATE INDEX approvals_of_conversation ON approvals (conversation);

CREATE TABLE allowances (
    conversation text NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    scope text NOT NULL,
    PRIMARY KEY (conversation, scope)
);

-- Only hashes: a copy of this table opens no page.
CREATE TABLE page_sessions (
    id text PRIMARY KEY,
    cookie text NOT NULL,
    key text NOT NULL,
    label text NOT NULL,
    created_at text NOT NULL,
    seen_at text NOT NULL
);
