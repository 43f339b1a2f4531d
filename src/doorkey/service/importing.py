"""Importing what other programs keep on this computer: looked at first, and taken only by a person's own yes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from doorkey.domain.account import Account
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.provider import Kind, Method, Provider
from doorkey.errors import DoorkeyError, ImportRejected, PolicyRefused
from doorkey.ports import Accounts, Catalog, Finds
from doorkey.service.keys import Keys, is_plausible_key
from doorkey.service.listing import iso
from doorkey.service.ways import switched_off

Places = Callable[[PurePath | None], Mapping[str, Finds]]
"""Make the places by their names; the path is that of a `.env` to look at, in place of the folder's own."""

# What other programs call providers that have another name here.
ALIASES = {"claude": "anthropic", "gemini": "google"}


class Fate(StrEnum):
    """What importing would do: add an account, replace the key of one, or nothing, because it is here or may not."""

    NEW = "new"
    REPLACES = "replaces"
    HERE = "here"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A finding with what would become of it; `account` is the one that it is or replaces, `reason` why it may not."""

    finding: Finding
    fate: Fate
    provider: Provider | None = None
    method: Method | None = None
    account: Account | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        """Name it among the others."""
        return f"{self.finding.source}/{self.finding.name}"

    @property
    def open(self) -> bool:
        """Whether there is something to import."""
        return self.fate in {Fate.NEW, Fate.REPLACES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found; `problems` are the files that could not be read, `places` all that were looked at, by source."""

    offers: Sequence[Offer]
    problems: Mapping[str, DoorkeyError]
    places: Mapping[str, str]


class Importing:
    """Look at the files of other programs, and import what the person chose; those files are never written."""

    def __init__(self, *, places: Places, catalog: Catalog, accounts: Accounts, keys: Keys) -> None:
        self._places = places
        self._catalog = catalog
        self._accounts = accounts
        self._keys = keys

    def look(self, source: str | None = None, env_file: PurePath | None = None) -> Survey:
        """Look at one place, or at all; a file that cannot be read is a problem of its own."""
        known = self._places(env_file)
        offers: list[Offer] = []
        problems: dict[str, DoorkeyError] = {}
        asked = {name: place for name, place in known.items() if source in {None, name}}
        for name, place in asked.items():
            try:
                offers += [self._offer(finding) for finding in place.look()]
            except ImportRejected as error:
                problems[name] = error
        return Survey(offers=offers, problems=problems, places={name: place.place for name, place in asked.items()})

    def take(self, offer: Offer) -> Account:
        """Import what was offered; raises PolicyRefused for what is only shown, and whatever keeps it out."""
        finding, provider, method = offer.finding, offer.provider, offer.method
        if finding.taking is Taking.SHOW:
            raise PolicyRefused(f"The sign-in of {finding.source} is not imported.", hint=finding.meaning)
        if provider is None or method is None:
            raise ImportRejected(offer.reason or "There is nothing to import.")
        if finding.owner:
            return self._keys.follow(provider.id, method.id, finding.owner)
        return self._keys.keep(provider.id, method.id, finding.secret, name=finding.called)

    def _offer(self, finding: Finding) -> Offer:
        provider, method = self._way(finding)
        account = self._known(finding, provider, method) if provider and method else None
        fate, reason = self._fate(finding, provider, method, account)
        return Offer(finding=finding, fate=fate, provider=provider, method=method, account=account, reason=reason)

    def _fate(
        self, finding: Finding, provider: Provider | None, method: Method | None, account: Account | None
    ) -> tuple[Fate, str | None]:
        if finding.taking is Taking.SHOW:
            return Fate.REFUSED, None
        if provider is None or method is None:
            return Fate.REFUSED, f"There is no provider for “{finding.name}” here; config.toml can add one."
        if not method.enabled:
            return Fate.REFUSED, switched_off(provider, method).hint
        if finding.secret is not None and not is_plausible_key(finding.secret.reveal()):
            return Fate.REFUSED, "What stands there is no key."
        if account is None:
            return Fate.NEW, None
        return (Fate.HERE if self._is_here(account, finding) else Fate.REPLACES), None

    def _way(self, finding: Finding) -> tuple[Provider | None, Method | None]:
        """Find the provider by what the finding says, else by the name of its key; and the method."""
        provider = next((each for each in self._catalog.all() if _is_for(finding, each)), None)
        if provider is None:
            return None, None
        if finding.method:
            return provider, provider.method(finding.method)
        return provider, next((method for method in provider.methods if method.kind is Kind.API_KEY), None)

    def _known(self, finding: Finding, provider: Provider, method: Method) -> Account | None:
        """Find the account that a finding already is, else the one whose key it would replace."""
        mine = [
            account
            for account in self._accounts.all()
            if (account.provider, account.method) == (provider.id, method.id)
        ]
        if finding.secret is None:
            return next((account for account in mine if account.identity.key == finding.identity.key), None)
        same = (account for account in mine if self._is_here(account, finding))
        return next(same, None) or next((account for account in mine if account.name == finding.called), None)

    def _is_here(self, account: Account, finding: Finding) -> bool:
        if finding.secret is None:
            return True
        try:
            return self._accounts.load(account.id).tokens.access == finding.secret
        except DoorkeyError:
            # Where the vault does not open, nothing can be compared, and nothing is imported either.
            return False


def offer_json(offer: Offer) -> dict[str, object]:
    """Describe an offer, without anything secret."""
    finding = offer.finding
    return {
        "source": finding.source,
        "name": finding.name,
        "file": finding.file,
        "provider": offer.provider.id if offer.provider else None,
        "method": offer.method.id if offer.method else None,
        "identity": finding.identity.label,
        "plan": finding.identity.plan,
        "workspace": finding.identity.workspace_name or finding.identity.workspace,
        "expires_at": iso(finding.expires_at),
        "importing": finding.taking.value,
        "meaning": finding.meaning,
        "outcome": offer.fate.value,
        "account": offer.account.id if offer.account else None,
        "reason": offer.reason,
        "warning": finding.warning,
    }


def _is_for(finding: Finding, provider: Provider) -> bool:
    if finding.provider is not None:
        return finding.provider == provider.id
    name = finding.name.lower()
    return finding.name in provider.api.env or ALIASES.get(name, name) == provider.id
