"""Reads the sign-in that Anthropic's own tool keeps; its own SDK renews and writes it, never we.

The files are those of `ant auth login`: `configs/NAME.json` and `credentials/NAME.json` under ANTHROPIC_CONFIG_DIR.
"""

import json
import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import DoorkeyError, ProviderUnavailable, SignInNeeded

HINT = "Run `ant auth login` (Anthropic's own tool), then try again."


class AntProfiles:
    """Fill `ports.Profiles`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def active(self) -> str:
        """Return the profile's name as the vendor's tool chooses it: variable, pointer file, else `default`."""
        pointer = self._folder() / "active_config"
        named = self._environ.get("ANTHROPIC_PROFILE") or (pointer.read_text().strip() if pointer.is_file() else "")
        return named or "default"

    def read(self, profile: str) -> Tokens:
        """Return the token as the file holds it now, without its refresh token, which is not ours to use."""
        body = self._credentials(profile)
        access, expires_at = body.get("access_token"), body.get("expires_at")
        if not isinstance(access, str) or not access:
            raise SignInNeeded(f"The profile “{profile}” holds no token.", hint=HINT)
        ends = datetime.fromtimestamp(expires_at, UTC) if isinstance(expires_at, int | float) else None
        # The file does not say when the token was made; its end is what counts for us.
        return Tokens(access=Secret(access), issued_at=datetime.fromtimestamp(0, UTC), expires_at=ends)

    def renew(self, profile: str) -> Tokens:
        """Let the vendor's SDK renew and write the profile, then read it."""
        from anthropic import AnthropicError
        from anthropic.lib.credentials import CredentialsFile

        credentials = CredentialsFile(profile)
        try:
            credentials(force_refresh=True)
        except AnthropicError as error:
            raise _outcome(profile, getattr(error, "status_code", None)) from None
        finally:
            credentials.close()
        return self.read(profile)

    def _folder(self) -> Path:
        named = self._environ.get("ANTHROPIC_CONFIG_DIR")
        return Path(named).expanduser() if named else Path.home() / ".config" / "anthropic"

    def _credentials(self, profile: str) -> dict[str, Any]:
        """Read the file as the vendor's SDK would: no link, nobody else may read it."""
        path = self._folder() / "credentials" / f"{profile}.json"
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise SignInNeeded(
                        f"The profile “{profile}” can be read by others.",
                        hint=f"Close it with `chmod 600` on {path.name}.",
                    )
                body = json.load(file)
        except (OSError, ValueError):
            raise SignInNeeded(f"There is no readable profile “{profile}” of `ant`.", hint=HINT) from None
        return body if isinstance(body, dict) else {}


def _outcome(profile: str, status: int | None) -> DoorkeyError:
    if status is not None and (status >= 500 or status in {408, 429}):
        return ProviderUnavailable("Anthropic could not renew the profile just now.")
    if status is None:
        return ProviderUnavailable(
            "The profile could not be renewed: Anthropic was not reached, or its file is not whole."
        )
    return SignInNeeded(f"Anthropic does not accept the profile “{profile}” any more.", hint=HINT)
