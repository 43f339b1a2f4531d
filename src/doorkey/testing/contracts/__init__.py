"""What every adapter of a port must do, as test classes to inherit from; each says which fixture it wants."""

import pytest

# Without this a contract that fails says only "AssertionError".
for _name in (
    "accounts",
    "approvals",
    "attempts",
    "audit",
    "chats",
    "cipher",
    "finds",
    "key_sources",
    "leases",
    "page_sessions",
    "settings",
):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")
