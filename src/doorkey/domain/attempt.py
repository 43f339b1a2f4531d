"""One sign-in under way, and the only way to turn what came back into a checked callback."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl

from doorkey.domain.account import Identity
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import ReplyRejected, SignInFailed

DYNAMIC_CLIENT = "dynamic_agent_client"
LONGEST_REPLY = 8192

# RFC 6749 section 4.1.2.1 and OpenID Connect Core 3.1.2.6: only these words of a reply may be repeated.
KNOWN_ERRORS = frozenset(
    {
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)


class Status(StrEnum):
    """Where an attempt is; the last three are ends.

    UNANSWERED: the exchange of the code got no answer, and can be repeated. SOMEBODY_ELSE: another person than
    the account's signed in, and may be kept as an account of their own. Both wait for a person's word.
    """

    WAITING = "waiting"
    EXCHANGING = "exchanging"
    UNANSWERED = "unanswered"
    SOMEBODY_ELSE = "somebody_else"
    SIGNED_IN = "signed_in"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({Status.UNANSWERED, Status.SOMEBODY_ELSE})
"""What waits for a person's word after a reply has come."""

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.EXCHANGING, Status.FAILED, Status.CANCELLED}),
    Status.EXCHANGING: frozenset({Status.SIGNED_IN, Status.FAILED, Status.UNANSWERED, Status.SOMEBODY_ELSE}),
    Status.UNANSWERED: frozenset({Status.EXCHANGING, Status.FAILED, Status.CANCELLED}),
    Status.SOMEBODY_ELSE: frozenset({Status.EXCHANGING, Status.FAILED, Status.CANCELLED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a server gave for a sign-in on another device (RFC 8628 section 3.2).

    The person types `user_code` at `verification_uri`; `code` is what we ask with, every `interval`, and is secret.
    """

    code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    interval: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Callback:
    """What came back, already checked against its attempt; only the two functions below make one."""

    code: Secret
    client_id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who signed in, with their tokens."""

    identity: Identity
    tokens: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in under way; `state`, `verifier` and `nonce` are three separate random values (rule 11).

    `callback` is kept while its exchange may be repeated, `arrived` while a person may still keep who signed in.
    """

    id: str
    provider: str
    method: str
    redirect: str
    state: Secret
    verifier: Secret
    nonce: Secret
    client_id: str
    created_at: datetime
    expires_at: datetime
    issuer: str | None = None
    iss_always_sent: bool = False
    registers: bool = False
    state_in_path: bool = False
    account: str | None = None
    name: str | None = None
    device: Device | None = None
    callback: Callback | None = None
    arrived: Arrival | None = None
    status: Status = Status.WAITING
    error: str | None = None
    hint: str | None = None

    @property
    def return_address(self) -> str:
        """The address that the browser returns to, with the state as its last part where no parameter takes it."""
        return f"{self.redirect}/{self.state.reveal()}" if self.state_in_path else self.redirect


def parse_callback(attempt: Attempt, reply: str) -> Callback:
    """Check a reply against its attempt: a full URL, a query string, or `code#state`; never a bare code.

    Where the state is in the path, only the full URL shows it.

    Raises ReplyRejected for what does not belong to the attempt, which then goes on (RFC 9700 section 4.7, RFC 9207),
    and SignInFailed where the provider itself ended it. Nothing of the reply enters an error text.
    """
    fields = _fields(reply, state_in_path=attempt.state_in_path)
    if Secret(fields["state"]) != attempt.state:
        raise ReplyRejected("This reply belongs to another sign-in.")
    _check_issuer(attempt, fields, pasted_pair="#" in reply and "://" not in reply and "=" not in reply)
    if "error" in fields:
        raise _denied(fields["error"])
    if not _is_word(fields.get("code", "")):
        raise ReplyRejected("The reply holds no code.")
    return Callback(Secret(fields["code"]), _issued_client(attempt, fields))


def handed_callback(attempt: Attempt, code: Secret) -> Callback:
    """Take a code that the server gave in answer to our own device code: no browser carried it, so it has no state."""
    if attempt.device is None or not _is_word(code.reveal()):
        raise ReplyRejected("The provider gave no code for this sign-in.")
    return Callback(code, attempt.client_id)


def _fields(reply: str, *, state_in_path: bool) -> dict[str, str]:
    text = reply.strip()
    if len(text) > LONGEST_REPLY:
        raise ReplyRejected("The reply is too long to be one.")
    if not state_in_path and "://" not in text and "=" not in text and text.count("#") == 1:
        code, _, state = text.partition("#")
        return {"code": code, "state": state}
    address, _, rest = text.partition("?")
    query, _, _ = (rest or text).partition("#")
    pairs = parse_qsl(query, keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        # RFC 6749 section 3.1: a parameter must not appear twice.
        raise ReplyRejected("The reply names something twice.")
    fields = dict(pairs)
    if state_in_path:
        fields["state"] = address.rpartition("/")[2] if rest else ""
    if not fields.get("state"):
        raise ReplyRejected("That is not the address of an approved sign-in.")
    return fields


def _check_issuer(attempt: Attempt, fields: Mapping[str, str], *, pasted_pair: bool) -> None:
    """Compare `iss` by RFC 9207 section 2.4: whenever it is there, and demand it where it is always sent."""
    issuer = fields.get("iss")
    if issuer is None:
        if attempt.iss_always_sent:
            hint = "Paste the whole address of the page instead of the code." if pasted_pair else None
            raise ReplyRejected("The reply does not say which server sent it.", hint=hint)
        return
    if attempt.issuer is None or Secret(issuer) != Secret(attempt.issuer):
        raise ReplyRejected("The reply was sent by another server than the sign-in began at.")


def _issued_client(attempt: Attempt, fields: Mapping[str, str]) -> str:
    """Return the client id to exchange with: the issued one where the callback registers us."""
    if not attempt.registers:
        return attempt.client_id
    issued = fields.get("client_id", "")
    if attempt.client_id == DYNAMIC_CLIENT:
        if not _is_word(issued) or issued == DYNAMIC_CLIENT:
            raise ReplyRejected("The reply holds no registration.")
        return issued
    if issued not in {"", attempt.client_id}:
        raise ReplyRejected("The reply holds another registration than this account's.")
    return attempt.client_id


def _is_word(text: str) -> bool:
    """Whether this can be a code or a client id: visible ASCII (RFC 6749 appendix A)."""
    return bool(text) and text.isascii() and text.isprintable()


def _denied(error: str) -> SignInFailed:
    if error == "access_denied":
        return SignInFailed("The sign-in was not approved.", hint="Start again and press Allow, or choose another way.")
    known = error if error in KNOWN_ERRORS else "an unknown error"
    return SignInFailed(f"The provider ended the sign-in: {known}.")
