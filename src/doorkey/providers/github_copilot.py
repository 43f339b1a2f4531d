"""GitHub Copilot, with an app of the person's own: GitHub's device flow, and the models of the person's plan."""

from datetime import date

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider

# No client id is shipped: GitHub wants each app to have its own, and a borrowed one would be an editor's.
DEVICE = Method(
    id="device",
    kind=Kind.DEVICE_CODE,
    name="GitHub Copilot sign-in",
    payer=Payer.PLAN,
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Uses your GitHub Copilot plan through an OAuth App or GitHub App of your own. GitHub documents that for "
        "its Copilot SDK, as a preview; Doorkey calls the same service directly, which it does not document.",
        source="https://docs.github.com/en/copilot/how-tos/copilot-sdk/setup/github-oauth",
        read_on=date(2026, 11, 24),
    ),
    issuer="https://github.com",
    device_url="https://github.com/login/device/code",
    token_url="https://github.com/login/oauth/access_token",
    userinfo_url="https://api.github.com/user",
    scopes=("read:user",),
    enterprise={
        "issuer": "https://{host}",
        "device_url": "https://{host}/login/device/code",
        "token_url": "https://{host}/login/oauth/access_token",
        "userinfo_url": "https://api.{host}/user",
        "base_url": "https://copilot-api.{host}",
        "manage_url": "https://{host}/settings/copilot",
    },
    manage_url="https://github.com/settings/copilot",
)

GITHUB_COPILOT = Provider(
    id="github-copilot",
    name="GitHub Copilot",
    api=Api(base_url="https://api.githubcopilot.com", dialect=Dialect.OPENAI_CHAT, rules="copilot"),
    methods=(DEVICE,),
)
