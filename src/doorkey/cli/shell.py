"""What every parsed command is handed: the terminal, and a way into the house that ends in an exit code."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from doorkey.cli import failures
from doorkey.cli.io import Io
from doorkey.errors import ConsentNeeded, DoorkeyError

if TYPE_CHECKING:
    from doorkey.domain.audit import Errand
    from doorkey.service.checkup import Checkup
    from doorkey.service.consents import Consents
    from doorkey.service.resolve import Wish
    from doorkey.service.services import ChatStores, Services
    from doorkey.service.vault_keys import VaultKeys

Options = TypeVar("Options")
Answer = TypeVar("Answer")


class Opener(Protocol):
    """Opens a page for the person; says whether it could."""

    def open(self, url: str) -> bool: ...


class Places(Protocol):
    """The folders that hold the vault, and its key and config."""

    @property
    def data(self) -> Path: ...
    @property
    def config(self) -> Path: ...


class House(Protocol):
    """What commands use of `bootstrap.House`."""

    errand: "Errand"
    here: Path

    @property
    def services(self) -> "Services": ...
    @property
    def stores(self) -> "ChatStores": ...
    @property
    def browser(self) -> Opener: ...
    @property
    def folders(self) -> Places: ...
    @property
    def vault_keys(self) -> "VaultKeys": ...
    def key_readable(self) -> bool: ...
    def checkup(self, *, every: bool) -> "Checkup": ...


Run = Callable[[Options, Io, House], int | None]
RunShut = Callable[[Options, Io, DoorkeyError], int]
Describe = Callable[[DoorkeyError], dict[str, object]]


class Shell:
    """Run commands and turn what goes wrong into words and an exit code."""

    def __init__(self, io: Io, open_house: Callable[[], AbstractContextManager[House]]) -> None:
        self.io = io
        self._open_house = open_house

    def run(
        self,
        run: Run[Options],
        options: Options,
        *,
        describe: Describe | None = None,
        shut: RunShut[Options] | None = None,
    ) -> int:
        """Run a command in an open house; with `as_json` in its options a failure is an object on stdout too.

        `shut` runs in its place where the house cannot be opened.
        """
        opened = False
        try:
            with self._open_house() as house:
                opened = True
                house.errand = _errand()
                return run(options, self.io, house) or 0
        except DoorkeyError as error:
            if shut and not opened:
                return shut(options, self.io, error)
            if getattr(options, "as_json", False):
                self.io.json((describe or _described)(error))
            failures.explain(self.io, error)
            return failures.exit_code(error)

    def run_outside(self, run: Callable[[Options, Io], int | None], options: Options) -> int:
        """Run a command that needs no vault."""
        try:
            return run(options, self.io) or 0
        except DoorkeyError as error:
            failures.explain(self.io, error)
            return failures.exit_code(error)


def with_consent(io: Io, consents: "Consents", act: Callable[[], Answer]) -> Answer:
    """Do something, asking the person for each recorded yes that it lacks.

    Where nobody can be asked, or the person says no, ConsentNeeded goes through.
    """
    while True:
        try:
            return act()
        except ConsentNeeded as error:
            if error.consent is None or not io.interactive:
                raise
            io.say(str(error))
            if not io.confirm("Do you agree, for this and later times?"):
                raise
            consents.record(error.consent)


def wish(provider: str, account: str | None, *, outside: bool = False) -> "Wish":
    """Ask for a provider here; an account that only DOORKEY_ACCOUNT names is asked for where it is one of this one."""
    from doorkey.service.resolve import Wish

    context = click.get_current_context(silent=True)
    if context and context.get_parameter_source("account") is ParameterSource.ENVIRONMENT:
        return Wish(provider=provider, preferred=account, outside=outside)
    return Wish(provider=provider, account=account, outside=outside)


def selected(house: House) -> "list[dict[str, Any]]":
    """List the accounts, each with the rule by which a command would use it here."""
    return house.services.listing.accounts(str(house.here), os.environ.get("DOORKEY_ACCOUNT"))


def usage(message: str) -> click.UsageError:
    """Make the error for a command line that cannot be meant, which knows the command that it belongs to."""
    return click.UsageError(message, click.get_current_context(silent=True))


def _errand() -> "Errand":
    """Name the command that is running, as a person types it, for the audit."""
    from doorkey.domain.audit import Errand, Surface

    context = click.get_current_context(silent=True)
    return Errand(Surface.CLI, context.command_path if context else None)


def _described(error: DoorkeyError) -> dict[str, object]:
    from doorkey.service.listing import error_json

    return error_json(error)
