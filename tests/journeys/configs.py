"""The built-in providers laid over with the addresses of the practice provider, and one of the person's own."""

from doorkey.testing.practice import ACME

OPENAI = """
[providers.openai.api]
base_url = "{url}/v1"
[providers.openai.methods.chatgpt]
allow_outside_app = {outside}
issuer = "{url}"
authorize_url = "{url}/api/accounts/authorize"
token_url = "{url}/api/accounts/oauth/token"
revoke_url = "{url}/revoke"
jwks_url = "{url}/jwks.json"
resource = "{url}/v1"
[providers.openai.methods.chatgpt.api]
base_url = "{url}/v1"
[providers.openai.methods.codex]
enabled = {codex}
issuer = "{url}"
client_id = "practice-codex"
authorize_url = "{url}/oauth/authorize"
token_url = "{url}/oauth/token"
device_url = "{url}/api/accounts/deviceauth/usercode"
revoke_url = "{url}/oauth/revoke"
jwks_url = "{url}/jwks.json"
[providers.openai.methods.codex.api]
base_url = "{url}/backend-api/codex"
"""

ANTHROPIC = """
[providers.anthropic.api]
base_url = "{url}"
"""

CLAUDE = """
[providers.anthropic.methods.claude]
client_id = "practice-claude"
issuer = "{url}"
authorize_url = "{url}/claude/authorize"
token_url = "{url}/claude/token"
paste_redirect = "{url}/oauth/code/callback"
"""


OPENROUTER = """
[providers.openrouter.api]
base_url = "{url}/api/v1"
[providers.openrouter.methods.oauth]
issuer = "{url}"
authorize_url = "{url}/auth"
token_url = "{url}/api/v1/auth/keys"
"""


def config(url: str, *, codex: bool = False, claude: bool = False, outside: bool = False) -> str:
    """Write the config of an installation; `codex`, `claude` and `outside` switch on what is off by default."""
    parts = (OPENAI, ANTHROPIC, OPENROUTER, *([CLAUDE] if claude else []), ACME)
    switches = {"codex": str(codex).lower(), "outside": str(outside).lower()}
    return "".join(parts).format(url=url, **switches)
