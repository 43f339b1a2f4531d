-- Moving the master key, and the recovery code.

-- How a passphrase becomes the key (JSON; NULL for a source that keeps the key itself).
ALTER TABLE header ADD COLUMN derivation TEXT;

-- Where the key before this one was, until it has been removed there; `left_master` recognises it.
ALTER TABLE header ADD COLUMN left_source TEXT;
ALTER TABLE header ADD COLUMN left_master BLOB;

-- Each wraps the other: whoever has the code opens the master key, and a new master key is laid under the same code.
CREATE TABLE recovery_codes (
    number INTEGER PRIMARY KEY,
    code_key BLOB NOT NULL,
    master BLOB NOT NULL,
    made_at TEXT NOT NULL
) STRICT;
