"""The services over one vault: each is made from the parts of its house, the first time that it is needed."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from doorkey.adapters.imports.places import Places
from doorkey.adapters.knock import knock
from doorkey.adapters.loopback.leaving import PortSecrets
from doorkey.adapters.loopback.listener import LoopbackListener
from doorkey.ports import Preferences
from doorkey.service import sign_in
from doorkey.service.accounts import AccountBook
from doorkey.service.consents import Consents
from doorkey.service.importing import Importing
from doorkey.service.keys import Keys
from doorkey.service.listing import Listing
from doorkey.service.meters import Meters
from doorkey.service.models import Models
from doorkey.service.moving import Moving
from doorkey.service.neighbours import Neighbours
from doorkey.service.profile_source import Borrowed
from doorkey.service.resolve import Resolver
from doorkey.service.services import Services
from doorkey.service.sign_in import SignIns
from doorkey.service.sources import Sources
from doorkey.service.ways import Ways
from doorkey.service.witness import WatchedBook, WatchedMoving

if TYPE_CHECKING:
    from doorkey.bootstrap.house import House


class Assembly:
    """Puts the services of one house together."""

    def __init__(self, house: "House") -> None:
        self._house = house

    def services(self) -> Services:
        """Put all of them together."""
        return Services(
            catalog=self._house.catalog,
            book=self.book,
            resolver=self.resolver,
            sources=self.sources,
            sign_ins=self.sign_ins,
            keys=self.keys,
            neighbours=self.neighbours,
            consents=self.consents,
            listing=self.listing,
            models=self.models,
            meters=self.meters,
            moving=self.moving,
            importing=self.importing,
            clock=self._house.clock,
            entropy=self._house.entropy,
        )

    @cached_property
    def consents(self) -> Consents:
        """The recorded yeses."""
        return Consents(self._house.vault.choices, self._house.clock)

    @cached_property
    def resolver(self) -> Resolver:
        """What chooses the credential of a call."""
        house = self._house
        return Resolver(
            catalog=house.catalog,
            accounts=house.vault.accounts,
            choices=house.vault.choices,
            consents=self.consents,
            surroundings=house.surroundings,
            here=str(house.here),
        )

    @cached_property
    def sources(self) -> Sources:
        """Where tokens come from."""
        house = self._house
        return Sources(
            accounts=house.vault.accounts,
            leases=house.vault.leases,
            profiles=house.profiles,
            clock=house.clock,
            runner=house.runtime,
            async_runner=house.async_runtime,
            practice=house.practice,
            used=house.witness.saw_use,
            ready=house.transport.warm,
        )

    @cached_property
    def models(self) -> Models:
        """The models of each account."""
        house = self._house
        return Models(
            sources=self.sources,
            transport=house.transport,
            clock=house.clock,
            shelf=self._shelf,
            hear=house.ears.hear,
        )

    @cached_property
    def book(self) -> AccountBook:
        """The accounts as a person handles them."""
        house = self._house
        return WatchedBook(
            house.witness,
            accounts=house.vault.accounts,
            catalog=house.catalog,
            choices=house.vault.choices,
            resolver=self.resolver,
            runner=house.runtime,
            leases=house.vault.leases,
            left=self.models.forget,
        )

    @cached_property
    def listing(self) -> Listing:
        """Accounts and providers as the world sees them."""
        house = self._house
        return Listing(
            catalog=house.catalog,
            book=self.book,
            surroundings=house.surroundings,
            consents=self.consents,
            clock=house.clock,
            key_readable=house.key_readable,
            is_shared=house.vault.is_shared,
            borrowed=Borrowed(house.profiles, house.clock),
        )

    @cached_property
    def meters(self) -> Meters:
        """How much of each account is used."""
        house = self._house
        return Meters(
            catalog=house.catalog,
            book=self.book,
            resolver=self.resolver,
            sources=self.sources,
            transport=house.transport,
            hearing=house.ears.hearing,
            readings=lambda: house.app_store.readings,
            shelf=self._shelf,
            clock=house.clock,
            settle=house.ears.settle,
        )

    @cached_property
    def ways(self) -> Ways:
        """The ways to sign in."""
        house = self._house
        return Ways(catalog=house.catalog, consents=self.consents, choices=house.vault.choices, entropy=house.entropy)

    @cached_property
    def sign_ins(self) -> SignIns:
        """The sign-ins under way."""
        house = self._house
        return SignIns(
            sign_in.World(
                ways=self.ways,
                accounts=house.vault.accounts,
                attempts=house.vault.attempts,
                choices=house.vault.choices,
                listen=partial(LoopbackListener.open, secrets=PortSecrets(house.folders.data)),
                runner=house.runtime,
                practice=house.practice,
                clock=house.clock,
            )
        )

    @cached_property
    def neighbours(self) -> Neighbours:
        """The model servers on this computer."""
        return Neighbours(catalog=self._house.catalog, knock=knock)

    @cached_property
    def keys(self) -> Keys:
        """What keeps a key that a person brings."""
        house = self._house
        return Keys(
            ways=self.ways,
            profiles=house.profiles,
            practice=house.practice,
            transport=house.transport,
            runner=house.runtime,
            choices=house.vault.choices,
            clock=house.clock,
            check_vault=house.vault.cipher.check,
            neighbours=self.neighbours,
        )

    @cached_property
    def moving(self) -> Moving:
        """What moves accounts from one computer to another."""
        house = self._house
        return WatchedMoving(
            house.witness,
            accounts=house.vault.accounts,
            catalog=house.catalog,
            choices=house.vault.choices,
            cipher=house.vault.cipher,
            clock=house.clock,
            resolver=self.resolver,
        )

    @cached_property
    def importing(self) -> Importing:
        """What takes in the keys and sign-ins that other programs keep here."""
        house = self._house
        return Importing(
            places=Places(
                environ=house.environ, here=house.here, catalog=house.catalog, codex=house.codex, ant=house.ant
            ),
            catalog=house.catalog,
            accounts=house.vault.accounts,
            keys=self.keys,
        )

    @property
    def _shelf(self) -> Callable[[], Preferences]:
        return lambda: self._house.app_store.preferences
