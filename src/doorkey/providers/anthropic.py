"""Anthropic: API keys, its Console profile, and the Pro/Max sign-in for those who have a client id of their own."""

from datetime import date

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider

LEGAL_PAGE = "https://code.claude.com/docs/en/legal-and-compliance"

API_KEY = Method(
    id="api-key",
    kind=Kind.API_KEY,
    name="API key",
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Billed to your Anthropic Console organisation, by use.",
        source=LEGAL_PAGE,
        read_on=date(2026, 9, 30),
    ),
    manage_url="https://platform.claude.com/usage",
)

CONSOLE = Method(
    id="console",
    kind=Kind.PROFILE,
    name="Anthropic Console",
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Uses the profile that Anthropic's own tool made with `ant auth login`, on this computer. "
        "Billed to your Console organisation, by use.",
        source="https://platform.claude.com/docs/en/cli-sdks-libraries/cli/authentication",
        read_on=date(2026, 9, 30),
    ),
    manage_url="https://platform.claude.com/usage",
)

# No client id is shipped: Anthropic's legal page forbids third-party apps to offer this sign-in.
CLAUDE = Method(
    id="claude",
    kind=Kind.AUTHORIZATION_CODE,
    name="Claude Pro or Max",
    payer=Payer.PLAN,
    policy=Policy(
        verdict=Verdict.FORBIDDEN,
        note="Anthropic's terms keep this sign-in to Claude Code and claude.ai. Use it only with a client id that "
        "Anthropic issued to you; your account may be suspended otherwise.",
        source=LEGAL_PAGE,
        read_on=date(2026, 9, 30),
    ),
    authorize_url="https://claude.ai/oauth/authorize",
    token_url="https://platform.claude.com/v1/oauth/token",
    scopes=("user:profile", "user:inference"),
    redirect="http://localhost:0/callback",
    paste_redirect="https://platform.claude.com/oauth/code/callback",
    authorize_extra={"code": "true"},
    token_body="json",
    state_in_token_body=True,
    manage_url="https://claude.ai/settings/usage",
    usage="claude",
)

ANTHROPIC = Provider(
    id="anthropic",
    name="Anthropic",
    api=Api(base_url="https://api.anthropic.com", dialect=Dialect.ANTHROPIC_MESSAGES, env=("ANTHROPIC_API_KEY",)),
    methods=(API_KEY, CONSOLE, CLAUDE),
)
