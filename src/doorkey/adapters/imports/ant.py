"""The profile of `ant auth login`, Anthropic's own tool, as something that can be imported."""

from collections.abc import Sequence

from doorkey.adapters.profiles import AntProfiles
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.owner import Owner
from doorkey.errors import ImportRejected, SignInNeeded

READS = "The profile stays where it is; Doorkey reads its token there, and Anthropic's own SDK renews it there."


class AntFinds:
    """Fill `ports.Finds`."""

    def __init__(self, profiles: AntProfiles) -> None:
        self._profiles = profiles
        self._who = profiles.active()
        self.place = str(profiles.file(self._who))

    def look(self) -> Sequence[Finding]:
        if not self._profiles.file(self._who).exists():
            return []
        try:
            tokens = self._profiles.read(self._who)
        except SignInNeeded as error:
            raise ImportRejected(str(error), hint=error.hint) from None
        profile = Finding(
            source="ant",
            name="sign-in",
            file=self.place,
            taking=Taking.READ,
            meaning=READS,
            provider="anthropic",
            method="console",
            identity=self._who,
            expires_at=tokens.expires_at,
            owner=Owner.ANT,
        )
        return [profile]
