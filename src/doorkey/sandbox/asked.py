"""An authorization request, read strictly: either everything in it is right or it is refused."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import QueryParams

from doorkey.sandbox.clients import REGISTRATION_ID, Client, Dialect, is_loopback_address, plan_client
from doorkey.sandbox.refusals import Refusal

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_HOST_ID = re.compile(r"(urn:uuid:|urn:ietf:params:oauth:jwk-thumbprint:|did:key:).{8,200}")
_RESOURCE = re.compile(r"https?://[^#\s]+")


class NoWayBack(Exception):
    """The client or its redirect is not right: told to the person on a page, never redirected (RFC 6749, 4.1.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an answer may be sent: checked before anything else is read."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A checked request, which a person can now allow or deny."""

    target: Target
    scope: tuple[str, ...]
    challenge: str
    nonce: str | None = None
    resource: str | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None

    @property
    def registers(self) -> bool:
        """Tell whether allowing this makes a new client."""
        return self.target.client.id == REGISTRATION_ID


def read_target(find_client: Callable[[str], Client | None], dialect: Dialect, params: QueryParams) -> Target:
    """Find out who asks and where the answer goes; raises NoWayBack."""
    client_id, redirect_uri = _once(params, "client_id"), _once(params, "redirect_uri")
    if dialect is Dialect.PLAN and client_id == REGISTRATION_ID:
        client: Client | None = plan_client(
            client_id, params.get("agent_name_hint", "A new app")[:80], params.get("ext_agent_host_id")
        )
    else:
        client = find_client(client_id)
    if client is None or client.dialect is not dialect:
        raise NoWayBack("No app with this client_id is registered at this address.")
    if not client.accepts_redirect(redirect_uri):
        raise NoWayBack(f"The redirect_uri is not one that {client.name} has registered.")
    states = params.getlist("state")
    return Target(client=client, redirect_uri=redirect_uri, state=states[0] if len(states) == 1 else None)


def _once(params: QueryParams, name: str) -> str:
    values = params.getlist(name)
    if len(values) != 1 or not values[0]:
        raise NoWayBack(f"The request must carry exactly one {name}.")
    return values[0]


def read_asked(target: Target, params: QueryParams) -> Asked:
    """Check the rest of the request; raises a Refusal that is to be redirected."""
    repeated = sorted({name for name in params if len(params.getlist(name)) > 1})
    if repeated:
        raise Refusal("invalid_request", f"{repeated[0]} is repeated (RFC 6749, 3.1)")
    if not target.state:
        raise Refusal("invalid_request", "state is missing")
    if params.get("response_type") != "code":
        raise Refusal("unsupported_response_type", "only response_type=code is served")
    if params.get("code_challenge_method") != "S256":
        raise Refusal("invalid_request", "PKCE with code_challenge_method=S256 is demanded (RFC 7636)")
    if not _CHALLENGE.fullmatch(params.get("code_challenge", "")):
        raise Refusal("invalid_request", "code_challenge is not the base64url of a SHA-256")
    return Asked(
        target=target,
        scope=read_scope(target.client, params.get("scope", "")),
        challenge=params["code_challenge"],
        nonce=params.get("nonce"),
        resource=_plan_resource(target.client, params),
        login_hint=params.get("login_hint"),
        id_token_hint=params.get("id_token_hint"),
    )


def read_router_asked(params: QueryParams) -> Asked:
    """Check what the router's dialect asks (protocols 4): an address on this machine and a challenge, nothing else."""
    callback, challenge = _once(params, "callback_url"), _once(params, "code_challenge")
    if unknown := sorted({*params} - {"callback_url", "code_challenge", "code_challenge_method"}):
        raise NoWayBack(f"The request carries {unknown[0]}, which nobody asked for.")
    if not is_loopback_address(callback):
        raise NoWayBack("The callback_url does not lead to this machine.")
    if _once(params, "code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise NoWayBack("The code_challenge is not the base64url of a SHA-256.")
    place = urlsplit(callback).netloc
    client = Client(id="", name=f"An app at {place}", dialect=Dialect.ROUTER, redirects=(callback,), scopes=())
    return Asked(target=Target(client=client, redirect_uri=callback, state=None), scope=(), challenge=challenge)


def read_scope(client: Client, asked: str) -> tuple[str, ...]:
    """Check that a client may ask for all of these scopes."""
    names = tuple(dict.fromkeys(asked.split()))
    if not names:
        raise Refusal("invalid_scope", "scope is missing")
    if not set(names) <= set(client.scopes):
        raise Refusal("invalid_scope", f"{client.name} may not ask for one of these scopes")
    return names


def _plan_resource(client: Client, params: QueryParams) -> str | None:
    """Check what the plan dialect adds (protocols 1.2) and give its `resource` (RFC 8707)."""
    if client.dialect is not Dialect.PLAN:
        return None
    resource, host_id = params.get("resource", ""), params.get("ext_agent_host_id", "")
    if not _RESOURCE.fullmatch(resource):
        raise Refusal("invalid_target", "resource must be the absolute address of the API")
    if client.id == REGISTRATION_ID:
        if not _HOST_ID.fullmatch(host_id):
            raise Refusal("invalid_request", "ext_agent_host_id must be a urn:uuid or another known form")
        if not params.get("agent_name_hint", "").strip():
            raise Refusal("invalid_request", "agent_name_hint is missing on a first registration")
    elif host_id and host_id != client.host_id:
        raise Refusal("invalid_request", "ext_agent_host_id is not the host that this client was issued to")
    return resource
