"""End a grant at the provider (RFC 7009); what is kept here is somebody else's business."""

from doorkey.domain.account import Held
from doorkey.domain.provider import Method, origin
from doorkey.errors import OriginChanged, ProviderUnavailable
from doorkey.flows import steps, wire
from doorkey.flows.steps import Flow


def revoke(held: Held, method: Method) -> Flow[None]:
    """Revoke the refresh token, which ends its access tokens too, else the access token.

    Raises ProviderUnavailable when the provider did not confirm it, OriginChanged when the config now names another
    place than the account was made for, Misconfigured where the method has no revocation address.
    """
    token = held.tokens.refresh or held.tokens.access
    hint = "refresh_token" if held.tokens.refresh else "access_token"
    request = wire.revoke_request(method, held.account.identity.client_id or "", token, hint)
    if origin(request.url) != held.account.origins.revoke:
        raise OriginChanged("The revocation address in the config is not the one that this account was made for.")
    response = yield from steps.send(request)
    if response.status != 200:
        raise ProviderUnavailable(
            "The provider did not confirm the revocation.", retry_after=wire.retry_after(response)
        )
