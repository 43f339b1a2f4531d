"""Google: keys of AI Studio, at the address that speaks OpenAI's dialect."""

from datetime import date

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Provider

# The sign-in of Gemini CLI is not here: Google's terms forbid it to other programs.
API_KEY = Method(
    id="api-key",
    kind=Kind.API_KEY,
    name="API key",
    policy=Policy(
        verdict=Verdict.ALLOWED,
        note="Billed to the Google Cloud project of the key, by use. Google may learn from what its free tier is sent.",
        source="https://ai.google.dev/gemini-api/docs/openai",
        read_on=date(2026, 11, 24),
    ),
    manage_url="https://aistudio.google.com/usage",
)

GOOGLE = Provider(
    id="google",
    name="Google Gemini",
    api=Api(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        dialect=Dialect.OPENAI_CHAT,
        env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        rules="google",
    ),
    methods=(API_KEY,),
)
