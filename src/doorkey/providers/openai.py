"""OpenAI: Sign in with ChatGPT first, Codex's way for those who switch it on, and API keys."""

from datetime import date

from doorkey.domain.policy import Policy, Storage, Use, Verdict
from doorkey.domain.provider import Api, DeviceDialect, Dialect, Kind, Method, Payer, Provider

ISSUER = "https://auth.openai.com"
USAGE_PAGE = "https://chatgpt.com/settings/usage"

CHATGPT = Method(
    id="chatgpt",
    kind=Kind.AUTHORIZATION_CODE,
    name="Continue with ChatGPT",
    payer=Payer.PLAN,
    api=Api(base_url="https://api.openai.com/v1", dialect=Dialect.OPENAI_RESPONSES, rules="chatgpt-plan"),
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Uses your ChatGPT plan in this app only. The sign-in stays on this computer. Plus or Pro is needed.",
        source="https://openai.com/policies/sign-in-with-chatgpt-terms",
        read_on=date(2026, 10, 5),
        storage=Storage.LOCAL,
        use=Use.APP,
    ),
    registers=True,
    issuer=ISSUER,
    authorize_url=f"{ISSUER}/api/accounts/authorize",
    token_url=f"{ISSUER}/api/accounts/oauth/token",
    revoke_url=f"{ISSUER}/oauth/revoke",
    jwks_url=f"{ISSUER}/.well-known/jwks.json",
    scopes=("openid", "profile", "email", "offline_access", "resource.invoke", "chatgpt.tokens.use.direct"),
    redirect="http://127.0.0.1:0/auth/callback",
    resource="https://api.openai.com/v1",
    plan_scope="chatgpt.tokens.use.direct",
    refresh_days=30,
    manage_url=USAGE_PAGE,
)

CODEX = Method(
    id="codex",
    kind=Kind.AUTHORIZATION_CODE,
    name="Codex sign-in",
    enabled=False,
    payer=Payer.PLAN,
    api=Api(base_url="https://chatgpt.com/backend-api/codex", dialect=Dialect.OPENAI_RESPONSES, rules="codex"),
    policy=Policy(
        verdict=Verdict.CONTESTED,
        note="Uses the Codex client's registration, which OpenAI tolerates in other apps but never offered them.",
        source="https://developers.openai.com/codex/auth",
        read_on=date(2026, 8, 31),
        storage=Storage.LOCAL,
    ),
    client_id="app_EMoamEEZ73f0CkXaXp7hrann",
    issuer=ISSUER,
    authorize_url=f"{ISSUER}/oauth/authorize",
    token_url=f"{ISSUER}/oauth/token",
    revoke_url=f"{ISSUER}/oauth/revoke",
    jwks_url=f"{ISSUER}/.well-known/jwks.json",
    device_url=f"{ISSUER}/api/accounts/deviceauth/usercode",
    device_dialect=DeviceDialect.CODEX,
    revoke_body="json",
    scopes=("openid", "profile", "email", "offline_access"),
    redirect="http://localhost:1455/auth/callback",
    fallback_ports=(1457,),
    # Our own name, as rule 9 wants it; the two others ask for the short consent page.
    authorize_extra={
        "originator": "doorkey",
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
    },
    manage_url=USAGE_PAGE,
    usage="codex",
)

API_KEY = Method(
    id="api-key",
    kind=Kind.API_KEY,
    name="API key",
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Billed to your OpenAI API account, by use.",
        source="https://platform.openai.com/docs/api-reference/authentication",
        read_on=date(2026, 10, 5),
    ),
    manage_url="https://platform.openai.com/usage",
)

OPENAI = Provider(
    id="openai",
    name="OpenAI",
    api=Api(base_url="https://api.openai.com/v1", dialect=Dialect.OPENAI_RESPONSES, env=("OPENAI_API_KEY",)),
    methods=(CHATGPT, CODEX, API_KEY),
)
