"""The apps that are registered here, as data, and the rule for their redirect addresses."""

import re
from dataclasses import dataclass
from enum import StrEnum

REGISTRATION_ID = "dynamic_agent_client"
"""The client id that asks for a registration and can never be used for an exchange (protocols 1.2)."""

PLAN_USE = "chatgpt.tokens.use.direct"
"""The scope that lets an app spend the person's plan."""

_IDENTITY = ("openid", "profile", "email", "offline_access")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost):([1-9]\d{0,4})(/[^#]*)")


class Dialect(StrEnum):
    """How a client and this server speak: the ways that Doorkey knows."""

    PLAIN = "plain"
    PLAN = "plan"
    CODEX = "codex"
    CLAUDE = "claude"
    ROUTER = "router"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered app. A loopback redirect without a port stands for every port (RFC 8252, 7.3)."""

    id: str
    name: str
    dialect: Dialect
    redirects: tuple[str, ...]
    scopes: tuple[str, ...]
    host_id: str | None = None

    def accepts_redirect(self, uri: str) -> bool:
        """Compare literally, setting only the port aside where none was registered (RFC 9700, 2.1)."""
        return uri in self.redirects or _without_port(uri) in self.redirects


def is_loopback_address(uri: str) -> bool:
    """Tell whether an address leads back to a port of this machine."""
    return _without_port(uri) is not None


def _without_port(uri: str) -> str | None:
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2]) > 65535:
        return None
    return f"http://{match[1]}{match[3]}"


def plan_client(client_id: str, name: str, host_id: str | None = None) -> Client:
    """Describe a client of the plan dialect, whether it is registering or was issued its own id."""
    return Client(
        id=client_id,
        name=name,
        dialect=Dialect.PLAN,
        redirects=("http://127.0.0.1/auth/callback",),
        scopes=(*_IDENTITY, "resource.invoke", PLAN_USE),
        host_id=host_id,
    )


def registered(base_url: str) -> dict[str, Client]:
    """List the clients that exist from the start, by their id."""
    clients = (
        Client(
            id="doorkey",
            name="Doorkey",
            dialect=Dialect.PLAIN,
            redirects=("http://127.0.0.1/callback", "http://[::1]/callback"),
            scopes=(*_IDENTITY, "models"),
        ),
        Client(
            id="practice-codex",
            name="Practice Codex",
            dialect=Dialect.CODEX,
            redirects=("http://localhost:1455/auth/callback", "http://localhost:1457/auth/callback"),
            scopes=(*_IDENTITY, "api.connectors.read", "api.connectors.invoke"),
        ),
        Client(
            id="practice-claude",
            name="Practice Claude",
            dialect=Dialect.CLAUDE,
            redirects=("http://localhost/callback", f"{base_url}/oauth/code/callback"),
            scopes=(
                "org:create_api_key",
                "user:profile",
                "user:inference",
                "user:sessions:claude_code",
                "user:mcp_servers",
                "user:file_upload",
            ),
        ),
    )
    return {client.id: client for client in clients}
