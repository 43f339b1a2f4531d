-- Finding one account among very many. What lies in JSON is read out by the database itself, so that no writer, not even
-- an older program that still runs, can leave a row behind that is not found.

-- Some texts that a provider may send cannot be PostgreSQL's (U+0000, half a surrogate pair): those are not found.
CREATE FUNCTION json_part(document text, name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN document::jsonb ->> name;
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
    RETURN NULL;
END
$$;

ALTER TABLE accounts
    -- What makes two sign-ins the same account (issuer, subject, workspace); NULL where no subject is known.
    ADD COLUMN identity_key text GENERATED ALWAYS AS (
        coalesce('=' || json_part(identity, 'issuer'), '') || chr(31)
        || '=' || json_part(identity, 'subject') || chr(31)
        || coalesce('=' || json_part(identity, 'workspace'), '')
    ) STORED,
    ADD COLUMN email text GENERATED ALWAYS AS (json_part(identity, 'email')) STORED,
    -- What a person calls it, as `Account.label` says.
    ADD COLUMN label text GENERATED ALWAYS AS (
        coalesce(
            nullif(name, ''),
            nullif(json_part(identity, 'email'), ''),
            nullif(json_part(identity, 'name'), ''),
            nullif(json_part(identity, 'subject'), ''),
            provider || ' ' || method
        )
    ) STORED,
    -- A key stands behind a sign-in.
    ADD COLUMN is_key boolean GENERATED ALWAYS AS (json_part(origins, 'token') IS NULL) STORED,
    ADD COLUMN state text GENERATED ALWAYS AS (json_part(standing, 'state')) STORED,
    -- One identity has one row. Where two first sign-ins at once have left two, both stay: the younger is a twin.
    ADD COLUMN twin integer NOT NULL DEFAULT 0;

UPDATE accounts SET twin = numbered.place
FROM (
    SELECT id, row_number() OVER (PARTITION BY provider, method, identity_key ORDER BY created_at, id) - 1 AS place
    FROM accounts WHERE identity_key IS NOT NULL
) AS numbered
WHERE numbered.id = accounts.id AND numbered.place > 0;

CREATE UNIQUE INDEX accounts_identity ON accounts (provider, method, identity_key, twin);
CREATE INDEX accounts_unnamed ON accounts (provider, method) WHERE identity_key IS NULL AND name IS NULL;
CREATE INDEX accounts_precedence ON accounts (provider, is_key, created_at, id);
CREATE INDEX accounts_due ON accounts (state, expires_at);
-- By their beginning, because a text may be longer than an index of PostgreSQL takes.
CREATE INDEX accounts_name ON accounts (substr(name, 1, 400), provider, method);
CREATE INDEX accounts_email ON accounts (substr(email, 1, 400));
CREATE INDEX accounts_label ON accounts (substr(label, 1, 400));

-- By code points, so that all names with one beginning lie side by side.
ALTER TABLE settings ALTER COLUMN name TYPE text COLLATE "C";
