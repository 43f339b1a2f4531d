"""Which credential serves a call: one visible order, and never a silent change of payer (rule 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from doorkey.domain.account import PLAN_NOT_SHARED, Account
from doorkey.domain.policy import Use
from doorkey.domain.provider import Kind, Method, Payer, Provider, origin
from doorkey.errors import ConsentNeeded, OriginChanged, PolicyRefused, SignInNeeded, UnknownName
from doorkey.ports import Catalog, Choices, FoundKey, Roll, Surroundings
from doorkey.service import consents
from doorkey.service.consents import Consents
from doorkey.service.rules import Rule, Rules
from doorkey.service.ways import switched_off

HERE = "."
ASKED = "asked for"
PREFERRED = "asked for by DOORKEY_ACCOUNT"
ENV = "env"
MANAGED = "managed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: a provider, perhaps an account by id or name, the chat's pinned one, where, and by whom.

    `preferred` is an account that is asked for only where it is one of this provider (DOORKEY_ACCOUNT). `folder` is
    the true path whose directory rule counts; HERE is where the program was started, None no folder at all.
    `outside` means another program than our own app; `served_before` that an account has answered in this chat.
    """

    provider: str
    account: str | None = None
    preferred: str | None = None
    pinned: str | None = None
    folder: str | None = HERE
    outside: bool = False
    served_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen, and by which rule; exactly one of `account` and `key` is there."""

    provider: Provider
    method: Method
    rule: str
    account: Account | None = None
    key: FoundKey | None = None

    @property
    def source(self) -> str:
        """Where the credential comes from: `managed` (the vault) or `env`."""
        return MANAGED if self.account else ENV

    @property
    def payer(self) -> Payer:
        """Who pays; a key from the environment is always metered, unless the server is local."""
        if self.account:
            return self.account.payer
        return Payer.LOCAL if self.method.payer is Payer.LOCAL else Payer.METERED

    @property
    def label(self) -> str:
        """What the person calls it."""
        if self.account:
            return self.account.label
        if self.key is None:
            return ""
        return f"{self.key.name} from {'the environment' if self.key.where == 'environment' else '.env'}"


class Resolver:
    """Choose by the order: asked for → pinned to the chat → directory rule → default → environment → `.env`.

    `here` is the true path of the folder in which this program was started.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        accounts: Roll,
        choices: Choices,
        consents: Consents,
        surroundings: Surroundings,
        here: str,
    ) -> None:
        self._catalog = catalog
        self._accounts = accounts
        self._choices = choices
        self._consents = consents
        self._surroundings = surroundings
        self._rules = Rules(choices)
        self._here = here

    def choose(self, wish: Wish) -> Choice:
        """Return the one credential that serves this wish.

        Raises UnknownName, SignInNeeded when there is none, OriginChanged, PolicyRefused and ConsentNeeded. A chosen
        account that cannot serve is an error: nothing else is tried in its place.
        """
        provider = self._catalog.provider(wish.provider)
        account, rule = self._account(wish)
        if account is None:
            return self._from_env(provider, wish)
        if account.provider != provider.id:
            raise UnknownName(f"{account.label} is an account at {account.provider}, not at {provider.id}.")
        method = provider.method(account.method)
        if method is None:
            raise UnknownName(f"{provider.name} has no method {account.method} any more.")
        if not method.enabled:
            raise switched_off(provider, method)
        if account.standing.reason == PLAN_NOT_SHARED:
            raise PolicyRefused(
                f"{account.label} is signed in, but {PLAN_NOT_SHARED}.",
                hint="Sign in again and allow it, where the plan has it; or choose another account.",
            )
        self._check_use(account, method, wish)
        if has_moved(account, provider, method):
            raise OriginChanged(f"{account.label} was made for another address than the config names now.")
        return Choice(provider=provider, method=method, account=account, rule=rule)

    def find(self, text: str, provider: str | None = None) -> Account:
        """Find an account by its id, name, or e-mail; where several fit, those of `provider` count.

        Raises UnknownName when none or several fit.
        """
        fitting = self._fitting(text)
        fitting = [account for account in fitting if account.provider == provider] or fitting
        if not fitting:
            raise UnknownName(f"There is no account “{text}”.")
        if len(fitting) > 1:
            raise UnknownName(f"“{text}” fits several accounts.", hint="Use the id that `doorkey accounts` shows.")
        return fitting[0]

    def default(self, provider: str) -> Account | None:
        """Return the provider's default: the one that was chosen, else a sign-in before a key, the oldest first."""
        chosen = self._choices.get(f"default:{provider}")
        account = self._accounts.one(chosen) if chosen else None
        return account if account and account.provider == provider else self._accounts.first(provider)

    def selected(self, wish: Wish) -> tuple[str | None, str]:
        """Say which account the order comes to, able to serve or not, and by which rule; None where there is none."""
        try:
            account, rule = self._account(wish)
        except (SignInNeeded, UnknownName, PolicyRefused):
            return None, ""
        return (account.id if account else None), rule

    def missing_yes(self, provider: Provider) -> ConsentNeeded | None:
        """Return what keeps the key outside the vault from serving; None where nothing does, or there is no key."""
        try:
            self._from_env(provider, Wish(provider=provider.id))
        except ConsentNeeded as missing:
            return missing
        except SignInNeeded:
            return None
        return None

    def _account(self, wish: Wish) -> tuple[Account | None, str]:
        folder = self._here if wish.folder == HERE else wish.folder
        ruled = self._rules.at(wish.provider, folder) if folder else None
        account, why = self._by_order(wish, ruled)
        if ruled and ruled.only and (account is None or account.id != ruled.account):
            mend = f"`doorkey use --folder {ruled.folder} --remove {wish.provider}` lifts the rule."
            raise PolicyRefused(f"In {ruled.folder} only {self._name_of(ruled)} may serve {wish.provider}.", hint=mend)
        return account, why

    def _by_order(self, wish: Wish, ruled: Rule | None) -> tuple[Account | None, str]:
        if wish.account:
            return self.find(wish.account, wish.provider), ASKED
        if wish.preferred and (account := self._preferred(wish.preferred, wish.provider)):
            return account, PREFERRED
        if wish.pinned:
            gone = "The account that this chat was pinned to is no longer here."
            return self._still_there(wish.pinned, gone), "pinned to this chat"
        if ruled:
            gone = f"The account of the rule for {ruled.folder} is no longer here."
            mend = f"Name another with `doorkey use ACCOUNT --folder {ruled.folder}`, or lift the rule with --remove."
            return self._still_there(ruled.account, gone, mend), by_rule(ruled)
        return self.default(wish.provider), by_default(wish.provider)

    def _preferred(self, text: str, provider: str) -> Account | None:
        """Return the account of this provider that is meant; a name that fits nobody anywhere is a slip."""
        if any(account.provider == provider for account in self._fitting(text)):
            return self.find(text, provider)
        if not self._fitting(text):
            raise UnknownName(f"There is no account “{text}”.")
        return None

    def _still_there(self, account: str, gone: str, mend: str | None = None) -> Account:
        try:
            return self.find(account)
        except UnknownName as error:
            raise SignInNeeded(gone, hint=mend) from error

    def _fitting(self, text: str) -> Sequence[Account]:
        exact = self._accounts.one(text)
        return [exact] if exact else self._accounts.named(text)

    def _name_of(self, ruled: Rule) -> str:
        account = self._accounts.one(ruled.account)
        return account.label if account else ruled.account

    def _check_use(self, account: Account, method: Method, wish: Wish) -> None:
        if not wish.outside or method.policy.use is Use.ANY:
            return
        if not method.allow_outside_app:
            raise PolicyRefused(
                f"{method.name} is for Doorkey's own chat only; other programs are refused by its terms.",
                hint="Use an API key here, or set allow_outside_app in config.toml after reading the terms.",
            )
        self._consents.demand(
            consents.outside(account),
            "Handing this access to other programs is against what its terms say.",
            "Agree once, by `doorkey token` in a terminal; or use an API key here.",
        )

    def _from_env(self, provider: Provider, wish: Wish) -> Choice:
        found = self._surroundings.find(provider.api.env)
        if found is None:
            raise SignInNeeded(f"No account at {provider.name}, and no key in the environment.")
        if wish.served_before or self._choices.get(f"served:{provider.id}"):
            self._consents.demand(
                consents.for_payer(provider.id),
                f"An account served {provider.name} before; {found.name} would be billed now.",
                "Agree once that the key pays, or sign in again.",
            )
        if found.where != "environment" and not self._trusted(found.where):
            self._consents.demand(
                consents.for_env_file(found.where),
                f"{found.name} was found in a .env file that was not used before.",
                "Agree once to use keys from this file, or name it under env_files in config.toml.",
            )
        return Choice(provider=provider, method=key_method(provider), key=found, rule=f"{found.name} ({found.where})")

    def _trusted(self, path: str) -> bool:
        return path in {str(trusted) for trusted in self._catalog.env_files()}


def by_rule(rule: Rule) -> str:
    """Name a directory rule as what decided."""
    return f"rule for {rule.folder}"


def by_default(provider: str) -> str:
    """Name the provider's default as what decided."""
    return f"default for {provider}"


def way_of(account: Account, catalog: Catalog) -> tuple[Provider | None, Method | None]:
    """Find the provider and the method that an account was made with; None for what the config names no more."""
    provider = next((known for known in catalog.all() if known.id == account.provider), None)
    return provider, provider.method(account.method) if provider else None


def has_moved(account: Account, provider: Provider, method: Method) -> bool:
    """Whether the config now names another API or token origin than the account was made for (rule 6)."""
    if origin(provider.api_for(method).base_url) != account.origins.api:
        return True
    token = account.origins.token
    return token is not None and method.token_url is not None and origin(method.token_url) != token


def key_method(provider: Provider) -> Method:
    """Return the method that a key from the environment stands for."""
    listed = next((method for method in provider.methods if method.kind is Kind.API_KEY), None)
    return listed or Method(id="api-key", kind=Kind.API_KEY, name="API key")
