"""Reads the sign-in that Anthropic's own tool keeps; its own SDK renews and writes it, never we.

The files are those of `ant auth login`: `configs/NAME.json` and `credentials/NAME.json` under ANTHROPIC_CONFIG_DIR.
"""

import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorkey.adapters.imports import reading
from doorkey.domain.account import Identity
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import DoorkeyError, ImportRejected, ProviderUnavailable, SignInNeeded

if TYPE_CHECKING:
    import httpx2


class AntProfiles:
    """Fill `ports.Profiles`; an identity's subject is the name of a profile. The vendor's SDK is given a `client`."""

    def __init__(self, environ: Mapping[str, str], client: "Callable[[], httpx2.Client]") -> None:
        self._environ = environ
        self._client = client

    def active(self) -> Identity:
        """Name the profile that the vendor's tool would choose: by variable, pointer file, else `default`."""
        named = self._environ.get("ANTHROPIC_PROFILE") or self._pointed_at()
        return Identity(issuer=Owner.ANT.value, subject=named or "default")

    def read(self, who: Identity) -> Tokens:
        """Return the token as the file holds it now, without its refresh token, which is not ours to use."""
        body = self._credentials(who)
        access, expires_at = body.get("access_token"), body.get("expires_at")
        if not isinstance(access, str) or not access:
            raise SignInNeeded(f"The profile “{who.subject}” holds no token.", hint=Owner.ANT.hint)
        # The file does not say when the token was made; its end is what counts for us.
        return Tokens(
            access=Secret(access), issued_at=datetime.fromtimestamp(0, UTC), expires_at=reading.moment(expires_at)
        )

    def renew(self, who: Identity) -> Tokens:
        """Let the vendor's SDK renew and write the profile, then read it."""
        from anthropic import AnthropicError
        from anthropic.lib.credentials import CredentialsFile

        with self._client() as client:
            try:
                CredentialsFile(who.subject or "", http_client=client)(force_refresh=True)
            except AnthropicError as error:
                raise _outcome(who, error) from None
        return self.read(who)

    def file(self, who: Identity) -> Path:
        """Name the file that holds a profile's token."""
        return self._folder() / "credentials" / f"{who.subject}.json"

    def _pointed_at(self) -> str | None:
        try:
            found = reading.read(self._folder() / "active_config")
            return found.content.decode().strip() if found else None
        except (ImportRejected, ValueError):
            return None

    def _folder(self) -> Path:
        named = self._environ.get("ANTHROPIC_CONFIG_DIR")
        return Path(named).expanduser() if named else Path.home() / ".config" / "anthropic"

    def _credentials(self, who: Identity) -> Mapping[str, Any]:
        """Read the file as the vendor's SDK would: no link, nobody else may read it."""
        path = self.file(who)
        try:
            found = reading.read(path, follows=False)
            if found and found.mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SignInNeeded(
                    f"The profile “{who.subject}” can be read by others.",
                    hint=f"Close it with `chmod 600` on {path.name}.",
                )
            if found:
                return reading.parse_object(found.content, path)
        except ImportRejected:
            pass
        raise SignInNeeded(f"There is no readable profile “{who.subject}” of `ant`.", hint=Owner.ANT.hint)


def _outcome(who: Identity, error: Exception) -> DoorkeyError:
    if isinstance(error.__cause__, ProviderUnavailable):
        return ProviderUnavailable(str(error.__cause__), hint=error.__cause__.hint)
    status = getattr(error, "status_code", None)
    if status is not None and (status >= 500 or status in {408, 429}):
        return ProviderUnavailable("Anthropic could not renew the profile just now.")
    if status is None:
        return ProviderUnavailable(
            "The profile could not be renewed: Anthropic was not reached, or its file is not whole."
        )
    return SignInNeeded(f"Anthropic does not accept the profile “{who.subject}” any more.", hint=Owner.ANT.hint)
