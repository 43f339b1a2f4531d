"""Keeping what a person brings instead of signing in: an API key, a vendor's profile, a server that asks for none."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from doorkey.domain.account import Account, Identity, Proof
from doorkey.domain.owner import Owner
from doorkey.domain.provider import Kind, Method, Provider
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import Misconfigured, ProviderUnavailable, SignInFailed, SignInNeeded
from doorkey.flows import admission
from doorkey.flows.steps import Response
from doorkey.ports import Choices, Clock, Practice, Profiles, Runner, Transport
from doorkey.providers.refusals import refusal
from doorkey.service.models import list_request
from doorkey.service.neighbours import Neighbours
from doorkey.service.ways import WITHOUT_BROWSER, Ways

CHECK = "key check"
"""What a proof is called that the check of a new key gave."""


class Keys:
    """Check and keep keys; only ever called for a person (rule 10)."""

    def __init__(
        self,
        *,
        ways: Ways,
        profiles: Mapping[Owner, Profiles],
        practice: Practice,
        transport: Transport,
        runner: Runner,
        choices: Choices,
        clock: Clock,
        check_vault: Callable[[], None],
        neighbours: Neighbours,
    ) -> None:
        self._ways = ways
        self._profiles = profiles
        self._practice = practice
        self._transport = transport
        self._runner = runner
        self._choices = choices
        self._clock = clock
        self._check_vault = check_vault
        self._neighbours = neighbours

    def keep(
        self, provider_id: str, method_id: str | None, key: Secret | None, *, name: str | None, check: bool = True
    ) -> Account:
        """Keep an API key as an account, or one whose credential is not ours: a vendor's profile, or none at all.

        A key is first tried with a call that costs nothing. Where the provider cannot be reached it is kept without
        a proof: who is offline has typed no wrong key. Raises SignInFailed for one that the provider refuses,
        ServerAway and KeyUnreadable.
        """
        provider, method = self._ways.find_without_browser(provider_id, method_id)
        if method.kind not in WITHOUT_BROWSER:
            raise Misconfigured(f"{provider.name} {method.id} is not signed in with a key.")
        text = key.reveal().strip() if key else ""
        if method.kind is Kind.API_KEY and not is_plausible_key(text):
            raise SignInFailed("That is not a key.", hint="Copy the key again; it is one line without spaces.")
        if method.kind is Kind.PROFILE:
            return self.follow(provider.id, method.id, Owner.ANT, name=name)
        proof = None
        if method.kind is Kind.API_KEY and check:
            # A vault that does not open is told about before the key goes anywhere.
            self._check_vault()
            proof = self._try(provider, method, Secret(text))
        elif method.kind is Kind.NONE and check:
            # What answers on a known port must not be taken for the server that usually does.
            self._neighbours.demand(provider)
        if method.kind is Kind.NONE:
            # Nobody is signed in there, so it is called what it is.
            name = name or provider.name
        return self._keep(provider, method, Identity(), Secret(text), proof=proof, name=name)

    def follow(self, provider_id: str, method_id: str, owner: Owner, *, name: str | None = None) -> Account:
        """Keep an account whose sign-in another program keeps: nothing of that comes into the vault.

        Raises what `Ways.find` raises, and SignInNeeded where that program has no sign-in.
        """
        provider, method = self._ways.find(provider_id, method_id)
        who = self._profiles[owner].active()
        self._profiles[owner].read(who)
        # Tokens that never come here are renewed and revoked by nobody here.
        method = replace(method, token_url=None, revoke_url=None)
        return self._keep(provider, method, who, Secret(""), proof=None, name=name)

    def _keep(
        self,
        provider: Provider,
        method: Method,
        who: Identity,
        key: Secret,
        *,
        proof: Proof | None,
        name: str | None,
    ) -> Account:
        tokens = Tokens(access=key, issued_at=self._clock.now())
        plan = self._ways.plan(provider, method, name=name)
        account = self._runner.run(admission.keep(plan, who, tokens, proof))
        self._choices.set(f"served:{account.provider}", account.id)
        return account

    def _try(self, provider: Provider, method: Method, key: Secret) -> Proof | None:
        """Ask for what only a key's owner may see; an answer about anything but the key is no judgement of it."""
        self._practice.ensure(provider)
        try:
            path = provider.api_for(method).key_path
            response = self._transport.send(list_request(provider, method, key, path=path))
        except ProviderUnavailable:
            return None
        if _refuses_the_key(response, self._clock.now()):
            raise SignInFailed(
                f"{provider.name} does not accept this key.",
                hint="Copy it again from the provider's page. A key with narrow rights is kept with --no-check.",
            )
        return Proof(self._clock.now(), CHECK) if response.status < 400 else None


def _refuses_the_key(response: Response, now: datetime) -> bool:
    if response.status in {401, 403}:
        return True
    refused = refusal(response.status, response.headers, response.body, now=now) if response.status >= 400 else None
    return isinstance(refused, SignInNeeded)


def is_plausible_key(text: str) -> bool:
    """Whether a text can be a key at all: one line of visible ASCII, as a header must be."""
    return 0 < len(text) <= 4096 and all("!" <= char <= "~" for char in text)
