"""With whom: every provider that we know, as a frozen value, in the order that the page shows."""

from doorkey.domain.provider import Provider
from doorkey.providers.anthropic import ANTHROPIC
from doorkey.providers.github_copilot import GITHUB_COPILOT
from doorkey.providers.google import GOOGLE
from doorkey.providers.local import LOCAL
from doorkey.providers.openai import OPENAI
from doorkey.providers.openrouter import OPENROUTER
from doorkey.providers.sandbox import SANDBOX

ALL: tuple[Provider, ...] = (OPENAI, ANTHROPIC, OPENROUTER, GITHUB_COPILOT, GOOGLE, *LOCAL, SANDBOX)
