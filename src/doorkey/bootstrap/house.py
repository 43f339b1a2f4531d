"""The object graph over one vault and one chat store."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from doorkey.adapters.browser import SystemBrowser
from doorkey.adapters.catalog import FileCatalog
from doorkey.adapters.ears import Ears
from doorkey.adapters.http.client import HttpTransport
from doorkey.adapters.http.roads import Roads
from doorkey.adapters.http.signatures import JoseSignatures
from doorkey.adapters.imports.codex import CodexLogin
from doorkey.adapters.journal import Journal
from doorkey.adapters.key_sources.passphrase import NobodyToAsk, TriedPassphrases
from doorkey.adapters.key_sources.sources import sources_of
from doorkey.adapters.paths import Folders
from doorkey.adapters.practice import PracticeStarter, PracticeTransport
from doorkey.adapters.profiles import AntProfiles
from doorkey.adapters.runtime.answers import Ports
from doorkey.adapters.runtime.sync import SyncRuntime
from doorkey.adapters.store.databases import open_app, open_vault
from doorkey.adapters.store.split import TermsOfPolicies
from doorkey.adapters.store.stores import AppStore
from doorkey.adapters.surroundings import EnvironmentKeys
from doorkey.adapters.system import SystemClock, SystemEntropy
from doorkey.bootstrap.assembly import Assembly
from doorkey.bootstrap.folders import ChatFolders
from doorkey.domain.audit import Errand, Surface
from doorkey.domain.owner import Owner
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from doorkey.ports import Passphrases, Profiles
from doorkey.providers import ALL
from doorkey.service.keeper import Keeper
from doorkey.service.services import ChatStores, Services
from doorkey.service.unlocking import Unlocking
from doorkey.service.vault_keys import VaultKeys
from doorkey.service.witness import WatchedAccounts, Witness

if TYPE_CHECKING:
    from doorkey.adapters.http.clients import Clients
    from doorkey.adapters.runtime.aio import AsyncRuntime
    from doorkey.agent.engine import Engine
    from doorkey.service.checkup import Checkup


class House:
    """Everything over one vault, each part made when it is first used; leave it with `close` or a `with` block.

    `errand` says on whose behalf accounts are used from now on; it is what the audit tells.
    """

    def __init__(self, *, environ: Mapping[str, str], here: Path, passphrases: Passphrases | None = None) -> None:
        self.environ = environ
        self.here = here.resolve()
        self._opening = Lock()
        self._opened_app: AppStore | None = None
        self.errand = Errand(Surface.LIBRARY, Path(sys.argv[0]).name or None)
        self.folders = Folders.of(environ).make()
        self.clock = SystemClock()
        self.entropy = SystemEntropy()
        self.browser = SystemBrowser(environ)
        self.codex = CodexLogin(environ, self.clock)
        self.catalog = FileCatalog(self.folders.config / "config.toml", ALL, self.clock)
        self.roads = Roads(environ, self.folders.config, self.catalog.network)
        self.ant = AntProfiles(environ, lambda: self.roads.client(self.catalog.provider("anthropic")))
        self.transport = HttpTransport(self.roads)
        self.surroundings = EnvironmentKeys(environ, here, self.catalog.env_files)
        self._passphrases = TriedPassphrases(passphrases or NobodyToAsk())
        self.vault = open_vault(
            environ,
            self.folders.data,
            sources_of(environ, self.folders, self.catalog.key_command, self._passphrases),
            TermsOfPolicies(self.catalog),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free every port and close both databases."""
        if "services" in self.__dict__:
            self.services.sign_ins.close()
            self.services.sources.close()
        if "runtime" in self.__dict__:
            self.runtime.close()
        self.ears.close()
        self.journal.close()
        if self._opened_app:
            self._opened_app.close()
        self.vault.close()

    @cached_property
    def services(self) -> Services:
        """The services over the vault."""
        return Assembly(self).services()

    @property
    def profiles(self) -> Mapping[Owner, Profiles]:
        """The sign-ins that other programs keep, by their owner."""
        return {Owner.ANT: self.ant, Owner.CODEX: self.codex}

    @cached_property
    def runtime(self) -> SyncRuntime:
        """What drives the flows."""
        return SyncRuntime(
            Ports(
                accounts=WatchedAccounts(self.vault.accounts, self.witness),
                leases=self.vault.leases,
                attempts=self.vault.attempts,
                choices=self.vault.choices,
                transport=PracticeTransport(self.transport, self.practice, self.catalog.provider("sandbox")),
                signatures=JoseSignatures(),
                clock=self.clock,
                entropy=self.entropy,
            )
        )

    @cached_property
    def practice(self) -> PracticeStarter:
        """What starts the practice provider; its state outlives the process, so its sign-ins do too."""
        state_file = self.folders.data / "sandbox.db"

        def start(port: int) -> object:
            from doorkey.sandbox import server

            return server.start(port, state_file)

        return PracticeStarter(self.transport, start)

    @cached_property
    def journal(self) -> Journal:
        """The audit, which keeps nobody waiting."""
        return Journal(lambda: self.app_store.audit)

    @cached_property
    def ears(self) -> Ears:
        """What hears the answers of providers."""
        return Ears(self.vault.accounts, lambda: self.app_store.readings, self.clock)

    @cached_property
    def witness(self) -> Witness:
        """What sees the uses of accounts."""
        return Witness(self.journal, self.clock, lambda: self.errand)

    @cached_property
    def stores(self) -> ChatStores:
        """What is kept of chats; opened only by who chats."""
        return replace(self.app_store, audit=self.journal)

    @cached_property
    def clients(self) -> "Clients":
        """HTTP clients for model calls, each bound to one account."""
        from doorkey.adapters.http.clients import Clients

        return Clients(self.services.sources, self.roads, self.ears.hear)

    def keeper(self) -> Keeper:
        """Make what renews before anybody asks, for a program that stays."""
        return Keeper(
            accounts=self.vault.accounts,
            attempts=self.vault.attempts,
            catalog=self.catalog,
            sources=self.services.sources,
            clock=self.clock,
            entropy=self.entropy,
        )

    def engine(self) -> "Engine":
        """Make the engine that answers chats; it belongs to one event loop."""
        from doorkey.agent.confinement import detect
        from doorkey.agent.engine import Engine

        return Engine(
            self.services,
            self.stores,
            self.clients,
            self._guarded,
            confinement=detect(self.environ),
            record=self.ears.note,
        )

    @cached_property
    def chat_folders(self) -> ChatFolders:
        """What looks at the folders of chats."""
        return ChatFolders(self._guarded)

    @cached_property
    def vault_keys(self) -> VaultKeys:
        """What a person does with the key of the vault."""
        return VaultKeys(self.vault.keys)

    def checkup(self, *, every: bool) -> "Checkup":
        """Make what looks at this installation; `every` asks all providers for a sign of life."""
        from doorkey.bootstrap.checkup import checkup_of

        return checkup_of(self, self.environ, every=every)

    def key_readable(self) -> bool:
        """Whether the master key is there and opens this vault."""
        try:
            self.vault.cipher.check()
        except KeyUnreadable:
            return False
        return True

    def unlocking(self, opened: Callable[[], None]) -> Unlocking:
        """Leave it to the page to ask for a passphrase from now on; `opened` is called when one was right."""
        self._passphrases.leave_to(NobodyToAsk(hint="Type it on Doorkey's page, which asks for it."))

        def attempt(passphrase: Secret) -> None:
            with self._passphrases.trying(passphrase):
                self.vault.cipher.check()

        return Unlocking(check=self.vault.cipher.check, attempt=attempt, clock=self.clock, opened=opened)

    def async_runtime(self) -> "AsyncRuntime":
        """Make what drives the flows under asyncio."""
        from doorkey.adapters.runtime.aio import AsyncRuntime

        return AsyncRuntime(self.runtime)

    @property
    def _guarded(self) -> list[Path]:
        """The folders that no tool of a chat may reach."""
        return [self.folders.data, self.folders.config]

    @property
    def app_store(self) -> AppStore:
        """The chats and what the page remembers, opened by whoever needs them first."""
        with self._opening:  # The audit's writer may be the first to need it.
            self._opened_app = self._opened_app or open_app(self.environ, self.folders.data)
            return self._opened_app


def open_house(
    *, environ: Mapping[str, str] | None = None, here: Path | None = None, passphrases: Passphrases | None = None
) -> House:
    """Open the vault that the environment names; `here` is the folder whose `.env` may be asked.

    `passphrases` asks the person for the passphrase of a vault that has one.

    Raises VaultDamaged, StorageFull, StoreBusy, and Misconfigured for a database that is none.
    """
    return House(environ=os.environ if environ is None else environ, here=here or Path.cwd(), passphrases=passphrases)
