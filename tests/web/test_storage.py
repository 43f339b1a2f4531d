"""The card of an account says where it is kept, where that is worth a word."""

from datetime import UTC, datetime

import pytest

from doorkey.web.views import markup

ACCOUNT = {
    "id": "acc_1", "name": None, "identity": "ada@example.com", "provider": "acme", "method": "oauth", "plan": None,
    "workspace": None, "state": "ready", "reason": None, "action": None, "until": None, "payer": "plan",
    "last_proof": None, "default": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("storage", "policy", "says"),
    [
        ("shared", "any", ["Kept in the shared database"]),
        ("local", "local", ["Kept on this computer only"]),
        ("local", "any", []),
    ],
)
def test_a_card_says_where_an_account_is_kept(storage, policy, says):
    method = {"id": "oauth", "name": "Acme", "manage_url": None, "has_usage": False, "policy": {"storage": policy}}
    provider = {"id": "acme", "name": "Acme", "methods": [method], "accounts": [ACCOUNT]}
    account = ACCOUNT | {"storage": storage}

    now = datetime(2030, 1, 1, tzinfo=UTC)
    card = markup("parts/account.html", account=account, provider=provider, windows={}, now=now)

    assert [line for line in ("Kept in the shared database", "Kept on this computer only") if line in card] == says
