-- Finding one account among very many. What lies in JSON is read out by the database itself, so that no writer, not even
-- an older program that still runs, can leave a row behind that is not found.

-- What makes two sign-ins the same account (issuer, subject, workspace); NULL where no subject is known.
ALTER TABLE accounts ADD COLUMN identity_key TEXT GENERATED ALWAYS AS (
    coalesce('=' || json_extract(identity, '$.issuer'), '') || char(31)
    || '=' || json_extract(identity, '$.subject') || char(31)
    || coalesce('=' || json_extract(identity, '$.workspace'), '')
) VIRTUAL;

ALTER TABLE accounts ADD COLUMN email TEXT GENERATED ALWAYS AS (json_extract(identity, '$.email')) VIRTUAL;

-- What a person calls it, as `Account.label` says.
ALTER TABLE accounts ADD COLUMN label TEXT GENERATED ALWAYS AS (
    coalesce(
        nullif(name, ''),
        nullif(json_extract(identity, '$.email'), ''),
        nullif(json_extract(identity, '$.name'), ''),
        nullif(json_extract(identity, '$.subject'), ''),
        provider || ' ' || method
    )
) VIRTUAL;

-- A key stands behind a sign-in.
ALTER TABLE accounts ADD COLUMN is_key INTEGER GENERATED ALWAYS AS (json_extract(origins, '$.token') IS NULL) VIRTUAL;

ALTER TABLE accounts ADD COLUMN state TEXT GENERATED ALWAYS AS (json_extract(standing, '$.state')) VIRTUAL;

-- One identity has one row. Where two first sign-ins at once have left two, both stay: the younger is a twin.
ALTER TABLE accounts ADD COLUMN twin INTEGER NOT NULL DEFAULT 0;
UPDATE accounts SET twin = numbered.place
FROM (
    SELECT id, row_number() OVER (PARTITION BY provider, method, identity_key ORDER BY created_at, id) - 1 AS place
    FROM accounts WHERE identity_key IS NOT NULL
) AS numbered
WHERE numbered.id = accounts.id AND numbered.place > 0;

CREATE UNIQUE INDEX accounts_identity ON accounts (provider, method, identity_key, twin);
CREATE INDEX accounts_unnamed ON accounts (provider, method, identity_key, name)
    WHERE identity_key IS NULL AND name IS NULL;
CREATE INDEX accounts_precedence ON accounts (provider, is_key, created_at, id);
-- By their beginning, as in PostgreSQL, where a text may be longer than an index takes.
CREATE INDEX accounts_name ON accounts (substr(name, 1, 400), provider, method);
CREATE INDEX accounts_email ON accounts (substr(email, 1, 400));
CREATE INDEX accounts_label ON accounts (substr(label, 1, 400));
CREATE INDEX accounts_due ON accounts (state, expires_at);
