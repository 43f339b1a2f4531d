"""The listener on this machine that an OAuth provider sends the browser back to (RFC 8252 section 7.3)."""
