"""How much of each account is used, as last read; a provider's page is asked rarely, and only while somebody looks."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

from doorkey.domain.account import Account
from doorkey.domain.provider import origin
from doorkey.domain.secret import Secret
from doorkey.domain.window import TIGHT, Window, fullest
from doorkey.errors import DoorkeyError
from doorkey.flows.steps import Request
from doorkey.ports import Catalog, Clock, Preferences, Readings, Transport
from doorkey.providers.refusals import refusal
from doorkey.providers.usage_pages import PAGES, UsagePage, read_usage
from doorkey.service.accounts import AccountBook
from doorkey.service.asking import answered, page_request
from doorkey.service.hearing import USAGE_PAGE, Heard, Hearing, key_of
from doorkey.service.resolve import Choice, Resolver, Wish, way_of
from doorkey.service.sources import Sources

PERIOD = timedelta(minutes=15)
"""How long a page is not asked again, whatever it answered: whoever asks more often is shut out (demand P13)."""

MOST_AT_ONCE = 4


class Meters:
    """Read and show the windows of accounts; nothing is ever sent that costs anything."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        book: AccountBook,
        resolver: Resolver,
        sources: Sources,
        transport: Transport,
        hearing: Hearing,
        readings: Callable[[], Readings],
        shelf: Callable[[], Preferences],
        clock: Clock,
        settle: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._book = book
        self._resolver = resolver
        self._sources = sources
        self._transport = transport
        self._hearing = hearing
        self._readings = readings
        self._shelf = shelf
        self._clock = clock
        self.settle = settle
        """Keep what was heard up to now; for who shows accounts right after an answer."""

    def known(self) -> Mapping[str, Sequence[Window]]:
        """Return the last readings by account, or `env:NAME` of a key outside the vault; asks nobody.

        What was read of an account that is gone is forgotten.
        """
        here, now = {account.id for account in self._book.all()}, self._clock.now()
        kept = self._readings().all()
        for gone in [key for key in kept if key.startswith("acc_") and key not in here]:
            self._readings().forget(gone)
        return {key: [each.at(now) for each in kept[key]] for key in kept if key in here or key.startswith("env:")}

    def tight(self, choice: Choice) -> Window | None:
        """Return the window that a person should know of before they go on; None while there is enough left."""
        windows = self._readings().all().get(key_of(choice), ())
        window = fullest(each.at(self._clock.now()) for each in windows)
        return window if window and (window.used_percent or 0) >= TIGHT else None

    def look_at_all(self) -> Mapping[str, DoorkeyError]:
        """Ask the page of every account that has one and was not asked lately; return what went wrong, by account."""
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="doorkey-usage") as pool:
            accounts = self._book.all()
            faults = list(pool.map(self.look, accounts))
        return {account.id: fault for account, fault in zip(accounts, faults, strict=True) if fault is not None}

    def look(self, account: Account) -> DoorkeyError | None:
        """Ask the page of one account, where it has one and was not asked lately; return what went wrong."""
        pages = self._pages(account)
        if not pages:
            return None
        try:
            choice = self._resolver.choose(Wish(provider=account.provider, account=account.id, folder=None))
            if self._may_ask(account):
                self._ask(account, choice, pages)
        except DoorkeyError as fault:
            return fault
        return None

    def _pages(self, account: Account) -> Sequence[UsagePage]:
        _, method = way_of(account, self._catalog)
        return PAGES.get(method.usage or "", ()) if method else ()

    def _ask(self, account: Account, choice: Choice, pages: Sequence[UsagePage]) -> None:
        first, *others = pages
        if (fault := self._read(choice, first)) is not None:
            self._put_off(account, fault)
            raise fault
        for page in others:
            # It has told what it could: the others are refused to some keys.
            with suppress(DoorkeyError):
                self._read(choice, page)

    def _read(self, choice: Choice, page: UsagePage) -> DoorkeyError | None:
        """Keep what a page tells; a refusal is returned, because it is said of the page and proves nothing else."""
        source = self._sources.for_calls(choice)
        response = answered(self._transport, source, lambda secret: _request(choice, page, secret))
        now = self._clock.now()
        if response.status >= 400:
            return refusal(response.status, response.headers, response.body, now=now)
        heard = Heard.of(choice, USAGE_PAGE, response, now)
        self._hearing.take([heard.with_page(read_usage(page, _parsed(response.body), now))])
        return None

    def _may_ask(self, account: Account) -> bool:
        """Whether the page may be asked now; who asks has the turn from here on, also after a crash."""
        now, name = self._clock.now(), _turn(account)
        until = _moment(self._shelf().get(name))
        # A turn that is further away than any of ours was taken by a clock that has been set back since.
        if until is not None and now < until <= now + timedelta(days=31):
            return False
        self._shelf().set(name, (now + PERIOD).isoformat())
        return True

    def _put_off(self, account: Account, fault: DoorkeyError) -> None:
        """Ask later where the page says so: a Retry-After is obeyed."""
        now = self._clock.now()
        until = getattr(fault, "until", None)
        wait = getattr(fault, "retry_after", None)
        later = until or (now + timedelta(seconds=wait) if wait is not None else now)
        self._shelf().set(_turn(account), max(later, now + PERIOD).isoformat())


def _request(choice: Choice, page: UsagePage, secret: Secret) -> Request:
    url = f"{origin(choice.provider.api_for(choice.method).base_url)}{page.path}"
    return page_request(choice.provider, choice.method, secret, choice.account, url)


def _turn(account: Account) -> str:
    return f"usage:{account.id}"


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
