"""What the services are handed, in memory: a catalog, surroundings, listeners, and the graph over one world."""

from dataclasses import dataclass, field, replace

from doorkey.adapters.runtime.aio import AsyncRuntime
from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.domain.account import Identity, Origins
from doorkey.domain.owner import Owner
from doorkey.domain.policy import Policy, Use, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.errors import KeyUnreadable, PortBusy, UnknownName
from doorkey.ports import FoundKey
from doorkey.service import sign_in
from doorkey.service.accounts import AccountBook
from doorkey.service.consents import Consents
from doorkey.service.hearing import Hearing
from doorkey.service.keys import Keys
from doorkey.service.listing import Listing
from doorkey.service.meters import Meters
from doorkey.service.models import Models
from doorkey.service.neighbours import Neighbours
from doorkey.service.profile_source import Borrowed
from doorkey.service.resolve import Resolver
from doorkey.service.sign_in import SignIns
from doorkey.service.sources import Sources
from doorkey.service.ways import Ways
from doorkey.testing.memory import MemoryReadings, MemorySettings
from doorkey.testing.script import METHOD, World
from doorkey.testing.values import HOUR, NOON, some_tokens

OAUTH = replace(METHOD, payer=Payer.PLAN, manage_url="https://acme.example/usage")
KEY = Method(id="api-key", kind=Kind.API_KEY, name="API key")
CONTESTED = replace(
    OAUTH,
    id="contested",
    policy=Policy(verdict=Verdict.CONTESTED, note="Read this first.", source="https://terms.example"),
)
APP_ONLY = replace(OAUTH, id="app-only", policy=Policy(verdict=Verdict.ALLOWED, note="This app only.", use=Use.APP))
OFF = replace(OAUTH, id="off", enabled=False)
UNREGISTERED = replace(OAUTH, id="unregistered", client_id=None)
ACME = Provider(
    id="acme",
    name="Acme",
    api=Api(base_url="https://api.example/v1", dialect=Dialect.OPENAI_CHAT, env=("ACME_API_KEY",)),
    methods=(OAUTH, KEY, CONTESTED, APP_ONLY, OFF, UNREGISTERED),
)
OTHER = Provider(
    id="other",
    name="Other",
    api=Api(base_url="https://other.example/v1", dialect=Dialect.ANTHROPIC_MESSAGES, env=("OTHER_API_KEY",)),
    methods=(KEY,),
)
LOCAL = Provider(
    id="local",
    name="Local",
    api=Api(base_url="http://127.0.0.1:9/v1", dialect=Dialect.OPENAI_CHAT),
    methods=(Method(id="none", kind=Kind.NONE, name="No credential", payer=Payer.LOCAL),),
)
ORIGINS = Origins(
    api="https://api.example:443", token="https://issuer.example:443", revoke="https://issuer.example:443"
)
IN_ENVIRONMENT = FoundKey("ACME_API_KEY", Secret("key-from-environment"), "environment")


@dataclass
class FakeCatalog:
    """Fill `ports.Catalog`."""

    providers: tuple[Provider, ...] = (ACME, OTHER, LOCAL)
    trusted: tuple[str, ...] = ()

    def all(self):
        return self.providers

    def provider(self, provider):
        for known in self.providers:
            if known.id == provider:
                return known
        raise UnknownName(f"There is no provider {provider}.")

    def problems(self):
        return ()

    def env_files(self):
        return self.trusted


@dataclass
class FakeSurroundings:
    """Fill `ports.Surroundings`."""

    keys: list[FoundKey] = field(default_factory=list)

    def find(self, names):
        return next((key for key in self.keys if key.name in names), None)


@dataclass
class FakeListener:
    """Fill `ports.Listener`; `deliver` is the browser coming back."""

    redirect: str
    deliver: object
    leave: object
    closed: bool = False

    def close(self):
        self.closed = True


@dataclass
class FakeListen:
    """Fill `ports.Listen`; `busy` is a machine without a free port."""

    busy: bool = False
    opened: list[FakeListener] = field(default_factory=list)

    def __call__(self, redirect, fallback_ports, deliver, leave):
        if self.busy:
            raise PortBusy("No port is free.")
        self.opened.append(FakeListener(redirect.replace(":0/", ":4000/"), deliver, leave))
        return self.opened[-1]


@dataclass
class FakePractice:
    """Fill `ports.Practice`, and remember whom it was asked for."""

    asked: list[str] = field(default_factory=list)

    def ensure(self, provider):
        self.asked.append(provider.id)


@dataclass
class FakeProfiles:
    """Fill `ports.Profiles`: one profile, whose tool renews it at once."""

    tokens: Tokens = field(default_factory=lambda: replace(some_tokens("profile"), refresh=None))
    renewals: int = 0

    def active(self):
        return Identity(issuer=Owner.ANT.value, subject="default")

    def read(self, who):
        return self.tokens

    def renew(self, who):
        self.renewals += 1
        ends = (self.tokens.expires_at or NOON) + HOUR
        self.tokens = replace(self.tokens, access=Secret(f"profile-{self.renewals}"), expires_at=ends)
        return self.tokens


class Counting:
    """Fill a port, counting the calls of each of its methods."""

    def __init__(self, port):
        self._port = port
        self.counts: dict[str, int] = {}

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def counted(*arguments, **named):
            self.counts[name] = self.counts.get(name, 0) + 1
            return method(*arguments, **named)

        return counted


class House:
    """Every service over a world in memory."""

    def __init__(self):
        self.world = World()
        self.accounts = Counting(self.world.ports.accounts)
        self.choices = self.world.vault.choices
        self.clock = self.world.clock
        self.catalog = FakeCatalog()
        self.surroundings = FakeSurroundings()
        self.listen = FakeListen()
        self.practice = FakePractice()
        self.profiles = FakeProfiles()
        self.key_readable = True
        self.shared: set[str] = set()
        self.runtime = SyncRuntime(replace(self.world.ports, accounts=self.accounts))
        self.consents = Consents(self.choices, self.clock)
        self.resolver = Resolver(
            catalog=self.catalog,
            accounts=self.accounts,
            choices=self.choices,
            consents=self.consents,
            surroundings=self.surroundings,
            here="/home/ada/work/site",
        )
        self.book = AccountBook(
            accounts=self.accounts,
            catalog=self.catalog,
            choices=self.choices,
            resolver=self.resolver,
            runner=self.runtime,
            leases=self.world.ports.leases,
            left=self.forget_models,
        )
        self.readied: list[str] = []
        self.sources = Sources(
            accounts=self.accounts,
            leases=self.world.ports.leases,
            profiles=dict.fromkeys(Owner, self.profiles),
            clock=self.clock,
            runner=self.runtime,
            async_runner=lambda: AsyncRuntime(self.runtime),
            practice=self.practice,
            ready=lambda url, _: self.readied.append(url),
        )
        ways = Ways(
            catalog=self.catalog,
            consents=self.consents,
            choices=self.choices,
            entropy=self.world.ports.entropy,
        )
        self.sign_ins = SignIns(
            sign_in.World(
                ways=ways,
                accounts=self.accounts,
                attempts=self.world.ports.attempts,
                choices=self.choices,
                listen=self.listen,
                runner=self.runtime,
                practice=self.practice,
                clock=self.clock,
            )
        )
        self.here: dict[str, bytes] = {}
        self.neighbours = Neighbours(catalog=self.catalog, knock=self.knock)
        self.keys = Keys(
            ways=ways,
            profiles=dict.fromkeys(Owner, self.profiles),
            practice=self.practice,
            transport=self.world.endpoints,
            runner=self.runtime,
            choices=self.choices,
            clock=self.clock,
            check_vault=self.check_vault,
            neighbours=self.neighbours,
        )
        self.listing = Listing(
            catalog=self.catalog,
            book=self.book,
            surroundings=self.surroundings,
            consents=self.consents,
            clock=self.clock,
            key_readable=lambda: self.key_readable,
            is_shared=lambda account: account in self.shared,
            borrowed=Borrowed(dict.fromkeys(Owner, self.profiles), self.clock),
        )
        self.shelf = MemorySettings()
        self.readings = MemoryReadings()
        self.hearing = Hearing(accounts=self.accounts, readings=lambda: self.readings)
        self.meters = Meters(
            catalog=self.catalog,
            book=self.book,
            resolver=self.resolver,
            sources=self.sources,
            transport=self.world.endpoints,
            hearing=self.hearing,
            readings=lambda: self.readings,
            shelf=lambda: self.shelf,
            clock=self.clock,
            settle=lambda: None,
        )
        self.models = self.new_models()

    def check_vault(self):
        if not self.key_readable:
            raise KeyUnreadable("The key is gone.")

    def knock(self, urls, within):
        """Fill `ports.Knock` with what `here` says that each address answers."""
        return {url: self.here[url] for url in urls if url in self.here}

    def forget_models(self, account):
        self.models.forget(account)

    def new_models(self):
        """Make what lists models, as a process does that starts now."""
        return Models(sources=self.sources, transport=self.world.endpoints, clock=self.clock, shelf=lambda: self.shelf)

    def keep(self, **changes):
        """Keep an account at Acme."""
        return self.world.keep(**({"origins": ORIGINS} | changes))

    def keep_key(self, provider="acme", **changes):
        """Keep a key as an account."""
        found = self.catalog.provider(provider)
        origins = Origins(api=f"https://{'api' if provider == 'acme' else provider}.example:443")
        tokens = replace(some_tokens(), refresh=None, expires_at=None)
        fields = {
            "provider": found.id,
            "method": "api-key",
            "origins": origins,
            "tokens": tokens,
            "payer": Payer.METERED,
        }
        return self.world.keep(**(fields | {"renews": False, "expires_at": None} | changes))
