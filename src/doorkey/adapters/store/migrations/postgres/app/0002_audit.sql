-- The audit: who did what with which account. Only ever added to; the oldest rows are dropped.

CREATE TABLE audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at text NOT NULL,
    surface text NOT NULL,
    action text NOT NULL,
    label text NOT NULL,
    provider text NOT NULL,
    method text NOT NULL,
    account text,
    detail text
);

CREATE INDEX audit_of_account ON audit (account, number);

CREATE RULE audit_is_only_added_to AS ON UPDATE TO audit DO INSTEAD NOTHING;

CREATE TABLE last_uses (
    account text PRIMARY KEY,
    at text NOT NULL
);
