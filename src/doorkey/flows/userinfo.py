"""Ask the provider who signed in, where no ID token says it: OpenID Connect's userinfo, or GitHub's user."""

from datetime import timedelta

from doorkey.domain.account import Identity
from doorkey.domain.provider import Method
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import ProviderUnavailable, SignInFailed
from doorkey.flows import identity, steps, wire
from doorkey.flows.steps import Flow, Request

# The tokens came once and are not kept yet: a short fault must not cost them.
TRIES = 3
PAUSE = timedelta(seconds=1)


def who_signed_in(method: Method, url: str, client_id: str, tokens: Tokens) -> Flow[Identity]:
    """Return whom the provider says that a new access token belongs to; raises SignInFailed where it says nobody."""
    for _ in range(TRIES - 1):
        try:
            return (yield from _ask(method, url, client_id, tokens))
        except ProviderUnavailable:
            yield from steps.sleep(PAUSE)
    return (yield from _ask(method, url, client_id, tokens))


def _ask(method: Method, url: str, client_id: str, tokens: Tokens) -> Flow[Identity]:
    headers: dict[str, str | Secret] = {
        "accept": "application/json",
        "authorization": Secret(f"Bearer {tokens.access.reveal()}"),
    }
    response = yield from steps.send(Request(method="GET", url=url, headers=headers, network=method.network))
    if response.status in wire.PASSING or response.status >= 500:
        raise ProviderUnavailable("The provider could not say who signed in.")
    who = identity.of_userinfo(method, client_id, wire.read_body(response))
    if response.status >= 400 or who.subject is None:
        raise SignInFailed(
            "The provider does not say who signed in.", hint="Start again, and allow reading who you are."
        )
    return who
