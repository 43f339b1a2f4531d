-- Who makes which answer, as in the vault's leases, and which answers somebody wants to end. Here, because a chat must
-- not change the vault.

CREATE TABLE leases (
    account text PRIMARY KEY,
    owner text NOT NULL,
    ends double precision NOT NULL,
    taken_at text NOT NULL,
    ends_at text NOT NULL,
    boot text NOT NULL,
    namespace bigint NOT NULL,
    pid bigint NOT NULL,
    started bigint NOT NULL
);

CREATE TABLE stops (
    run text PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE
);
