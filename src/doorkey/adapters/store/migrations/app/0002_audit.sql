-- The audit: who did what with which account. Only ever added to; the oldest rows are dropped.

-- AUTOINCREMENT, so that a number is never given twice, not even after its row was dropped.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    surface TEXT NOT NULL,
    action TEXT NOT NULL,
    label TEXT NOT NULL,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    account TEXT,
    detail TEXT
) STRICT;

CREATE INDEX audit_of_account ON audit (account, number);

CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit is only added to');
END;

CREATE TABLE last_uses (
    account TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
