"""Proof Key for Code Exchange (RFC 7636), S256 only."""

import base64
import hashlib

from doorkey.domain.secret import Secret


def urlsafe(raw: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7636 appendix A): 32 bytes become 43 characters."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def challenge(verifier: Secret) -> str:
    """Return the S256 challenge that goes into the URL; the verifier itself never does (RFC 7636 section 4.2)."""
    return urlsafe(hashlib.sha256(verifier.reveal().encode()).digest())
