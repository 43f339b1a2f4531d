"""Everything that the page, the terminal and the engine are handed; bootstrap fills it."""

from dataclasses import dataclass

from doorkey.ports import (
    Allowances,
    Approvals,
    Audit,
    Catalog,
    Clock,
    Conversations,
    Entropy,
    Events,
    Leases,
    Ledger,
    PageSessions,
    Preferences,
    Readings,
    Runs,
    Stops,
)
from doorkey.service.accounts import AccountBook
from doorkey.service.consents import Consents
from doorkey.service.importing import Importing
from doorkey.service.keys import Keys
from doorkey.service.listing import Listing
from doorkey.service.meters import Meters
from doorkey.service.models import Models
from doorkey.service.moving import Moving
from doorkey.service.neighbours import Neighbours
from doorkey.service.resolve import Resolver
from doorkey.service.sign_in import SignIns
from doorkey.service.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services over one vault."""

    catalog: Catalog
    book: AccountBook
    resolver: Resolver
    sources: Sources
    sign_ins: SignIns
    keys: Keys
    consents: Consents
    listing: Listing
    models: Models
    neighbours: Neighbours
    meters: Meters
    moving: Moving
    importing: Importing
    clock: Clock
    entropy: Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStores:
    """What is kept of chats and of the page, in `app.db`; `claims` are the leases of those who make the answers."""

    preferences: Preferences
    conversations: Conversations
    runs: Runs
    events: Events
    approvals: Approvals
    allowances: Allowances
    claims: Leases
    stops: Stops
    page_sessions: PageSessions
    audit: Audit
    ledger: Ledger
    readings: Readings
