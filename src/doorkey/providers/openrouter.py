"""OpenRouter: a sign-in that needs no registration and gives a key, and keys from its own page."""

from datetime import date

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Grant, Kind, Method, Provider

KEYS_PAGE = "https://openrouter.ai/settings/keys"
NOTE = "Billed to your OpenRouter credits, by use."
OAUTH_PAGE = "https://openrouter.ai/docs/oauth"
READ_ON = date(2026, 11, 24)

OAUTH = Method(
    id="oauth",
    kind=Kind.AUTHORIZATION_CODE,
    name="OpenRouter sign-in",
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note=f"{NOTE} It gives a key of its own, which lasts until you delete it on OpenRouter's page of keys.",
        source=OAUTH_PAGE,
        read_on=READ_ON,
    ),
    grant=Grant.KEY,
    issuer="https://openrouter.ai",
    authorize_url="https://openrouter.ai/auth",
    token_url="https://openrouter.ai/api/v1/auth/keys",
    # Any port of this machine is taken, though the page names 3000 only.
    fallback_ports=(3000,),
    manage_url=KEYS_PAGE,
    usage="openrouter",
)

API_KEY = Method(
    id="api-key",
    kind=Kind.API_KEY,
    name="API key",
    policy=Policy(verdict=Verdict.ALLOWED, note=NOTE, source=OAUTH_PAGE, read_on=READ_ON),
    manage_url=KEYS_PAGE,
    usage="openrouter",
)

OPENROUTER = Provider(
    id="openrouter",
    name="OpenRouter",
    api=Api(
        base_url="https://openrouter.ai/api/v1",
        dialect=Dialect.OPENAI_CHAT,
        env=("OPENROUTER_API_KEY",),
        # The list of models is for everybody.
        key_path="/key",
    ),
    methods=(OAUTH, API_KEY),
)
