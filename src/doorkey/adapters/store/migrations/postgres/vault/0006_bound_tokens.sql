-- Tokens are bound to their provider, method and origins too: an older version is told, for it could not open them.
COMMENT ON COLUMN accounts.tokens IS 'Sealed for its id, generation, provider, method and origins.';
