"""The rules that each route adds to its dialect: which headers prove the account, which fields it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from doorkey.domain.account import Account
from doorkey.domain.provider import Api, Dialect, Kind, Method
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured

ANTHROPIC_OAUTH_BETA = "oauth-2025-04-20"
CREDENTIAL_HEADERS = ("authorization", "x-api-key")

# Fields that only tune an answer: without them it still means the same, so they are left out.
_TUNING = frozenset(
    {
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "moderation",
        "prompt_cache_retention",
        "safety_identifier",
        "temperature",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
# Fields that change what a request means: leaving them out would be a lie.
_MEANING = frozenset({"background", "conversation", "multi_agent", "previous_response_id", "prompt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one route demands of a request body.

    `list_query` is what its model list wants to be asked, `name_prefix` what it sets before every name there;
    `list_endpoint` is ours, where the list tells for each model which it has.
    """

    demanded: Mapping[str, object] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    system_role: str | None = None
    list_query: str = ""
    name_prefix: str = ""
    list_endpoint: str | None = None

    @property
    def only_streams(self) -> bool:
        """Whether this route gives no answer in one piece."""
        return self.demanded.get("stream") is True

    def shape(self, body: Mapping[str, object]) -> dict[str, object]:
        """Return the body as the route takes it.

        Raises Misconfigured where the answer would be another than was asked for: a field that the route refuses and
        whose absence would change the meaning, or a whole answer from a route that only streams.
        """
        if self.only_streams and body.get("stream") is not True:
            raise Misconfigured("This account's route only streams its answers.", hint="Ask with stream=True.")
        refused = sorted(self.refused & {name for name, value in body.items() if value is not None})
        if refused:
            raise Misconfigured(
                f"This account's route does not take {', '.join(refused)}.",
                hint="Leave the field out, or use an API key.",
            )
        shaped = {name: value for name, value in body.items() if name not in self.dropped | self.refused} | dict(
            self.demanded
        )
        items = shaped.get("input")
        if self.system_role and isinstance(items, list):
            shaped["input"] = [self._without_system(item) for item in items]
        return shaped

    def _without_system(self, item: object) -> object:
        is_system = isinstance(item, dict) and item.get("role") == "system"
        return {**item, "role": self.system_role} if is_system else item  # type: ignore[dict-item]


RULES: Mapping[str, Rules] = {
    "plain": Rules(),
    "google": Rules(name_prefix="models/"),
    # Sign in with ChatGPT, preview limitations page.
    "chatgpt-plan": Rules(
        demanded={"store": False, "stream": True}, dropped=_TUNING, refused=_MEANING, system_role="developer"
    ),
    # Codex's backend answers 400 "Unsupported parameter" to more than it documents.
    "codex": Rules(
        demanded={"store": False, "stream": True},
        dropped=_TUNING | {"presence_penalty", "frequency_penalty", "seed", "service_tier", "stream_options"},
        refused=_MEANING,
        system_role="developer",
        # The level of the route that we speak; without one of at least this the list stays empty.
        list_query="?client_version=0.124.0",
    ),
    "copilot": Rules(list_endpoint="/chat/completions"),
}


def credential_headers(api: Api, kind: Kind, secret: Secret, present: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that prove the account; `present` are the request's own, whose betas are kept."""
    if kind is Kind.NONE:
        return {}
    if api.dialect is not Dialect.ANTHROPIC_MESSAGES:
        return {"authorization": f"Bearer {secret.reveal()}"}
    if kind is Kind.API_KEY:
        return {"x-api-key": secret.reveal()}
    betas = [beta.strip() for beta in present.get("anthropic-beta", "").split(",") if beta.strip()]
    if ANTHROPIC_OAUTH_BETA not in betas:
        betas.append(ANTHROPIC_OAUTH_BETA)
    return {"authorization": f"Bearer {secret.reveal()}", "anthropic-beta": ",".join(betas)}


def route_headers(method: Method, account: Account) -> dict[str, str]:
    """Return what a route wants to know beside the credential; always under our own name (rule 9)."""
    if method.api is None or method.api.rules != "codex":
        return {}
    workspace = account.identity.workspace
    return {"originator": "doorkey"} | ({"chatgpt-account-id": workspace} if workspace else {})


def turn_headers(api: Api, body: Mapping[str, object]) -> dict[str, str]:
    """Return what a route wants to know of one request: Copilot, whether a person asks, or a tool's result goes back.

    Nothing tells an editor's name: we are none (rule 9).
    """
    messages = body.get("messages")
    if api.rules != "copilot" or not isinstance(messages, list) or not messages:
        return {}
    last = messages[-1]
    asks = isinstance(last, dict) and last.get("role") == "user"
    return {"x-initiator": "user" if asks else "agent"}
