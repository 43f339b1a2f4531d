"""The practice provider: everything a real one does, on this computer, at no cost."""

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider

PORT = 8378
BASE = f"http://127.0.0.1:{PORT}"

_OURS = Policy(verdict=Verdict.ALLOWED, note="Our own practice provider. It runs on this computer and costs nothing.")

SANDBOX = Provider(
    id="sandbox",
    name="Sandbox",
    api=Api(base_url=f"{BASE}/v1", dialect=Dialect.OPENAI_CHAT, env=("DOORKEY_SANDBOX_KEY",)),
    methods=(
        Method(
            id="oauth",
            kind=Kind.AUTHORIZATION_CODE,
            name="Practice sign-in",
            payer=Payer.LOCAL,
            policy=_OURS,
            client_id="doorkey",
            issuer=BASE,
            authorize_url=f"{BASE}/authorize",
            token_url=f"{BASE}/token",
            revoke_url=f"{BASE}/revoke",
            jwks_url=f"{BASE}/jwks.json",
            device_url=f"{BASE}/device_authorization",
            scopes=("openid", "profile", "email", "offline_access", "models"),
            iss_always_sent=True,
        ),
        Method(id="api-key", kind=Kind.API_KEY, name="Practice key", payer=Payer.LOCAL, policy=_OURS),
    ),
)
