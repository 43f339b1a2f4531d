-- The last reading of each account's windows: how much is used, until when, and when that was read.

CREATE TABLE windows (
    account text NOT NULL,
    name text COLLATE "C" NOT NULL,
    used_percent double precision,
    resets_at text,
    source text NOT NULL,
    as_of text COLLATE "C" NOT NULL,
    is_rate boolean NOT NULL,
    PRIMARY KEY (account, name)
);
