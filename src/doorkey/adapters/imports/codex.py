"""What OpenAI's Codex keeps in `auth.json`: read each time that it is needed, and never renewed or written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from doorkey.adapters.imports import reading
from doorkey.domain.account import Identity
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import ImportRejected, SignInNeeded
from doorkey.flows import identity
from doorkey.ports import Clock

SOURCE = "codex"
KEY = "OPENAI_API_KEY"
PROFILE = "https://api.openai.com/profile"
READS = "Codex keeps it and alone renews it; Doorkey reads the access token from the file whenever it needs one."
COPIES = "The key is copied into your vault; Codex keeps its own."
NOBODY = "Run `codex login`. Where Codex uses the system's keyring, set cli_auth_credentials_store to file first."
# Codex writes its file in place, so that half of it may be there for a moment.
TRIES = 4
PAUSE = timedelta(milliseconds=50)


class CodexLogin:
    """Fill `ports.Profiles` and `ports.Finds`."""

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        named = environ.get("CODEX_HOME")
        self._path = (Path(named).expanduser() if named else Path.home() / ".codex") / "auth.json"
        self._clock = clock
        self.place = str(self._path)

    def active(self) -> Identity:
        return whose(self._sign_in())

    def read(self, who: Identity) -> Tokens:
        body = self._sign_in()
        now = whose(body)
        if now.key != who.key:
            raise SignInNeeded(
                f"Codex is signed in as {now.label} now, not as {who.label}.",
                hint="Sign in to Codex as before, or run `doorkey import codex` for the other account.",
            )
        return tokens_in(body)

    def renew(self, who: Identity) -> Tokens:
        """Read it once more: Codex alone renews it."""
        return self.read(who)

    def look(self) -> Sequence[Finding]:
        found = self._whole()
        return findings_in(found[0], self.place, found[1]) if found else []

    def _sign_in(self) -> Mapping[str, Any]:
        try:
            found = self._whole()
        except ImportRejected as error:
            raise SignInNeeded(str(error), hint=Owner.CODEX.hint) from None
        if found is None or not has_sign_in(found[0]):
            raise SignInNeeded("Codex keeps no ChatGPT sign-in in its file.", hint=NOBODY)
        return found[0]

    def _whole(self) -> tuple[Mapping[str, Any], str | None] | None:
        for _ in range(TRIES - 1):
            try:
                return reading.read_object(self._path)
            except ImportRejected:
                self._clock.sleep(PAUSE)
        return reading.read_object(self._path)


def findings_in(body: Mapping[str, Any], file: str, warning: str | None) -> Sequence[Finding]:
    """Say what the file holds: a ChatGPT sign-in, an API key, or both."""
    found = []
    if has_sign_in(body):
        sign_in = Finding(
            source=SOURCE,
            name="sign-in",
            file=file,
            taking=Taking.READ,
            meaning=READS,
            provider="openai",
            method="codex",
            identity=whose(body),
            expires_at=tokens_in(body).expires_at,
            owner=Owner.CODEX,
            warning=warning,
        )
        found.append(sign_in)
    if key := reading.text(body, KEY):
        copied = Finding(
            source=SOURCE,
            name=KEY,
            file=file,
            taking=Taking.COPY,
            meaning=COPIES,
            called=f"{KEY} from Codex",
            secret=Secret(key),
            warning=warning,
        )
        found.append(copied)
    return found


def has_sign_in(body: Mapping[str, Any]) -> bool:
    """Whether there is a token, and somebody whose it is."""
    return bool(reading.text(reading.part(body, "tokens"), "access_token") and whose(body).subject)


def whose(body: Mapping[str, Any]) -> Identity:
    """Read who is signed in, from claims that nobody has verified: they name the account, and open nothing."""
    tokens = reading.part(body, "tokens")
    access = reading.claims_in(reading.text(tokens, "access_token"))
    told = identity.of_claims({**access, **reading.claims_in(reading.text(tokens, "id_token"))})
    account = reading.label(tokens, "account_id")
    return replace(
        told,
        issuer=Owner.CODEX.value,
        subject=told.subject or account,
        workspace=told.workspace or account,
        email=told.email or reading.label(reading.part(access, PROFILE), "email"),
    )


def tokens_in(body: Mapping[str, Any]) -> Tokens:
    """Take the access token and its end; the refresh token stays where it is."""
    access = reading.text(reading.part(body, "tokens"), "access_token") or ""
    ends = reading.moment(reading.claims_in(access).get("exp"))
    # When it was made is not asked: its end is what counts for us.
    return Tokens(access=Secret(access), issued_at=datetime.fromtimestamp(0, UTC), expires_at=ends)
