"""The ways to sign in: which there are, whether one may be used now, and what an attempt of it is for."""

from doorkey.domain.account import Account
from doorkey.domain.provider import Grant, Kind, Method, Provider
from doorkey.errors import ConsentNeeded, PolicyRefused, UnknownName
from doorkey.flows.attempts import Plan, without_client_id
from doorkey.flows.pkce import urlsafe
from doorkey.ports import Catalog, Choices, Entropy
from doorkey.service import consents
from doorkey.service.consents import Consents

WITHOUT_BROWSER = frozenset({Kind.API_KEY, Kind.NONE, Kind.PROFILE})


class Ways:
    """Find ways to sign in and plan attempts."""

    def __init__(self, *, catalog: Catalog, consents: Consents, choices: Choices, entropy: Entropy) -> None:
        self._catalog = catalog
        self._consents = consents
        self._choices = choices
        self._entropy = entropy

    def find(self, provider_id: str, method_id: str | None) -> tuple[Provider, Method]:
        """Find a method, the provider's first usable one by default, and check that it may be used.

        Raises UnknownName, PolicyRefused for one that is off, Misconfigured without a client id, and ConsentNeeded.
        """
        provider = self._catalog.provider(provider_id)
        method = provider.method(method_id) if method_id else first_choice(provider)
        if method is None:
            raise UnknownName(f"{provider.name} has no method {method_id or 'that is switched on'}.")
        if not method.enabled:
            raise switched_off(provider, method)
        if method not in offered(provider):
            raise without_client_id(provider.id, method)
        if method.policy.needs_consent and not self._consents.given(consents.for_method(provider.id, method.id)):
            raise ConsentNeeded(method.policy.note, consent=consents.for_method(provider.id, method.id))
        return provider, method

    def find_without_browser(self, provider_id: str, method_id: str | None) -> tuple[Provider, Method]:
        """Find a method that needs no page of the provider's, the first of that kind by default; raises as `find`."""
        provider = self._catalog.provider(provider_id)
        return self.find(
            provider_id, method_id or next((way.id for way in provider.methods if way.kind in WITHOUT_BROWSER), None)
        )

    def way_back(self, method: Method) -> str:
        """Return the address to listen at: the registered one, with a random path where that stands for the state."""
        if method.grant is Grant.TOKENS:
            return method.redirect
        return f"{method.redirect}/{urlsafe(self._entropy.bytes(32))}"

    def plan(
        self,
        provider: Provider,
        method: Method,
        *,
        redirect: str | None = None,
        account: Account | None = None,
        name: str | None = None,
    ) -> Plan:
        """Say what a sign-in is for; without a port that waits, it returns to where the reply can be pasted from."""
        return Plan(
            provider=provider.id,
            method=method,
            api=provider.api_for(method),
            redirect=redirect or method.paste_redirect or self.way_back(method),
            host_id=self._host_id(),
            name=name,
            account=account,
        )

    def _host_id(self) -> str:
        """Return this vault's id as a host (protocols of Sign in with ChatGPT: one, made before the first sign-in)."""
        known = self._choices.get("host-id")
        if known is None:
            from uuid import UUID

            known = f"urn:uuid:{UUID(bytes=self._entropy.bytes(16), version=4)}"
            self._choices.set("host-id", known)
        return known


def switched_off(provider: Provider, method: Method) -> PolicyRefused:
    """Say that the config does not let a method serve, and how it would."""
    where = f"[providers.{provider.id}.methods.{method.id}]"
    return PolicyRefused(
        f"{provider.name} {method.id} is switched off.", hint=f"Set enabled = true under {where} in config.toml."
    )


def first_choice(provider: Provider) -> Method | None:
    """Return the method that is meant where none is named; where none can be used, the first, which says why."""
    return next(iter(offered(provider) or provider.methods), None)


def offered(provider: Provider) -> list[Method]:
    """Return the methods that can be offered: switched on, and with a client id where one is needed."""
    return [method for method in provider.methods if method.enabled and not method.lacks_client_id]
